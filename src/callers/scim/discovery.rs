//! The documents by which a SCIM client discovers this service: ServiceProviderConfig, ResourceTypes, Schemas (RFC 7643, sections 5 to 7).

use serde_json::{Value, json};

use crate::request::attribute_path::{ENTERPRISE, USER};
use crate::request::person::NAMES;
use crate::request::scim::LARGEST_PAGE;

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

/// Returns the description of one attribute of the schema.
fn attribute(name: &str, kind: &str, description: &str) -> Value {
    let mut attribute = json!({
        "name": name,
        "type": kind,
        "multiValued": false,
        "description": description,
        "required": false,
        "mutability": "readWrite",
        "returned": "default",
    });
    if let (true, Some(fields)) = (kind == "string", attribute.as_object_mut()) {
        fields.insert("caseExact".into(), false.into());
        fields.insert("uniqueness".into(), "none".into());
    }
    attribute
}

fn with(mut attribute: Value, key: &str, value: Value) -> Value {
    if let Some(fields) = attribute.as_object_mut() {
        fields.insert(key.into(), value);
    }
    attribute
}

pub(super) fn schemas(base: &str) -> Vec<Value> {
    let text = |name, description| attribute(name, "string", description);
    let names = NAMES.map(|name| text(name, "Part of the name"));
    let email = [
        text("value", "The address"),
        text("type", "The type of the address"),
        attribute("primary", "boolean", "Whether this is the main address"),
    ];
    let user_name = with(
        with(text("userName", "The unique name of the person"), "required", true.into()),
        "uniqueness",
        "server".into(),
    );
    let emails = with(
        with(attribute("emails", "complex", "Addresses"), "multiValued", true.into()),
        "subAttributes",
        email.to_vec().into(),
    );
    let user = [
        user_name,
        with(attribute("name", "complex", "The name"), "subAttributes", names.to_vec().into()),
        text("displayName", "The name to show"),
        emails,
        with(
            attribute(
                "active",
                "boolean",
                "Becomes false when the person leaves; the accounts of the person are then removed",
            ),
            "required",
            true.into(),
        ),
    ];
    let schema = |id: &str, name: &str, description: &str, attributes: Vec<Value>| {
        json!({
            "schemas": [SCHEMA],
            "id": id,
            "name": name,
            "description": description,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{id}")},
        })
    };
    vec![
        schema(USER, "User", "A person who may have accounts", user.to_vec()),
        schema(
            ENTERPRISE,
            "EnterpriseUser",
            "Enterprise attributes of a person",
            vec![text("employeeNumber", "The employee number")],
        ),
    ]
}
