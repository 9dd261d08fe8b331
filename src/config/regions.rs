//! The endpoints of each region. The host names of TaurusDB follow no rule, so they are a table.
//!
//! Seen in Huawei Cloud's "Regions and Endpoints" pages and in the official SDKs' region files (huaweicloudsdkgaussdb
//! 3.1.219). A region that is missing here can be used as well: the operator adds `endpoint`. To add a region, add its name to
//! the list of its host name's form.

const GAUSSDB: &[&str] = &[
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-3",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-4",
    "cn-southwest-2",
    "ru-northwest-2",
    "sa-brazil-1",
];

const GAUSSDB_FOR_MYSQL: &[&str] = &["ap-southeast-1", "ap-southeast-2", "cn-north-11", "me-east-1", "tr-west-1"];

const GAUSSDB_MYSQL: &[&str] = &["af-south-1", "cn-east-5", "cn-southwest-3", "la-north-2"];

/// Returns TaurusDB's endpoint in a region (`ap-southeast-3`) as `https://host`; `None` if the table lacks the region.
pub fn endpoint(region: &str) -> Option<String> {
    [("gaussdb", GAUSSDB), ("gaussdbformysql", GAUSSDB_FOR_MYSQL), ("gaussdb-mysql", GAUSSDB_MYSQL)]
        .into_iter()
        .find(|(_, regions)| regions.contains(&region))
        .map(|(service, _)| format!("https://{service}.{region}.myhuaweicloud.com"))
}

/// Returns IAM's endpoint in a region. These host names follow a rule.
pub fn iam(region: &str) -> String {
    format!("https://iam.{region}.myhuaweicloud.com")
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn one_region_of_each_naming() {
        let seen = ["ap-southeast-3", "tr-west-1", "cn-east-5", "mars-1"].map(endpoint);
        assert_eq!(
            seen,
            [
                Some("https://gaussdb.ap-southeast-3.myhuaweicloud.com".into()),
                Some("https://gaussdbformysql.tr-west-1.myhuaweicloud.com".into()),
                Some("https://gaussdb-mysql.cn-east-5.myhuaweicloud.com".into()),
                None,
            ]
        );
    }
}
