"""Validates the manifests in files against Kubernetes' own schemas, and prints all of their documents as JSON.

    manifests.py FILE...

No unknown field is let pass. A kind that Kubernetes does not have (SpinKube's, Kustomize's) is printed only.
"""

import json
import sys

import kubernetes_validate
import yaml

# The oldest release with support and the newest that the package knows.
VERSIONS = ["1.34", kubernetes_validate.latest_version()]
OTHERS = ("core.spinkube.dev/", "kustomize.config.k8s.io/")

documents = []
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        for document in yaml.safe_load_all(text):
            if not document["apiVersion"].startswith(OTHERS):
                for version in VERSIONS:
                    kubernetes_validate.validate(document, version, strict=True)
            documents.append(document)
print(json.dumps(documents))
