//! The documents by which a SCIM client discovers this service: ServiceProviderConfig, ResourceTypes, Schemas (RFC 7643, sections 5 to 7).

use serde_json::{Value, json};

use crate::request::attribute_path::{ENTERPRISE, USER};
use crate::request::scim::LARGEST_PAGE;
use crate::request::user_schema::{Attribute, CORE, ENTERPRISE_ATTRIBUTES, Kind};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

pub(super) fn service_provider_config(base: &str) -> Value {
    let no = json!({"supported": false});
    json!({
        "schemas": [CONFIG],
        "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": LARGEST_PAGE},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "Authorization: Bearer, with the secret that the operator issued",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig")},
    })
}

pub(super) fn resource_type(base: &str) -> Value {
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "A person who may have accounts",
        "schema": USER,
        "schemaExtensions": [{"schema": ENTERPRISE, "required": false}],
        "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/User")},
    })
}

/// Returns the description of one attribute of a schema.
fn attribute(attribute: &Attribute) -> Value {
    let kind = match attribute.kind {
        Kind::Text => "string",
        Kind::Flag => "boolean",
        Kind::Reference => "reference",
        Kind::Binary => "binary",
        Kind::Complex => "complex",
    };
    let is_name = attribute.name == "userName";
    let mut described = json!({
        "name": attribute.name,
        "type": kind,
        "multiValued": attribute.is_list,
        "description": attribute.description,
        "required": is_name || attribute.name == "active",
        "mutability": "readWrite",
        "returned": "default",
    });
    let Some(fields) = described.as_object_mut() else { return described };
    if !matches!(attribute.kind, Kind::Flag | Kind::Complex) {
        fields.insert("caseExact".into(), attribute.is_exact.into());
        fields.insert("uniqueness".into(), if is_name { "server" } else { "none" }.into());
    }
    if attribute.kind == Kind::Reference {
        let types: &[&str] = if attribute.name == "$ref" { &["User"] } else { &["external"] };
        fields.insert("referenceTypes".into(), types.into());
    }
    if !attribute.parts.is_empty() {
        fields.insert("subAttributes".into(), attribute.parts.iter().map(self::attribute).collect());
    }
    described
}

pub(super) fn schemas(base: &str) -> Vec<Value> {
    let schema = |id: &str, name: &str, description: &str, attributes: &[Attribute]| {
        json!({
            "schemas": [SCHEMA],
            "id": id,
            "name": name,
            "description": description,
            "attributes": attributes.iter().map(attribute).collect::<Vec<_>>(),
            "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{id}")},
        })
    };
    vec![
        schema(USER, "User", "A person who may have accounts", CORE),
        schema(ENTERPRISE, "EnterpriseUser", "Enterprise attributes of a person", ENTERPRISE_ATTRIBUTES),
    ]
}
