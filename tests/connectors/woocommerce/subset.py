"""The few keywords of OpenAPI that the subset of wc/v3 uses, checked by hand."""

from __future__ import annotations

import re
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
}


def faults(schema: dict[str, Any], value: Any, subset: dict[str, Any], at: str = "") -> list[str]:
    """Say what is wrong with a value, by the few keywords that the subset uses."""
    if "$ref" in schema:
        schema = subset["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if value is None:
        return [] if schema.get("nullable") or not schema.get("type") else [f"{at}: null"]
    found = [f for part in schema.get("allOf", ()) for f in faults(part, value, subset, at)]
    kind = schema.get("type")
    if kind == "integer":
        right = isinstance(value, int) and not isinstance(value, bool)
    else:
        right = isinstance(value, _TYPES.get(kind or "", object))
    if not right:
        return [*found, f"{at}: not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: not {schema['pattern']}")
    if kind == "array" and "items" in schema:
        found += [f for one in value for f in faults(schema["items"], one, subset, f"{at}[]")]
    if kind == "object":
        found += [f"{at}: no {name}" for name in schema.get("required", ()) if name not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                found += faults(part, value[name], subset, f"{at}.{name}")
    return found
