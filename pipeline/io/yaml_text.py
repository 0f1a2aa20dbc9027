"""Reading the YAML that ships with this package: catalogues, front matter."""

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: ten times as slow, and the same otherwise
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


def load_yaml(text: str) -> object:
    """What a YAML text says. Raises yaml.YAMLError.

    >>> load_yaml("{name: write, version: 2}")
    {'name': 'write', 'version': 2}
    """
    content: object = yaml.load(text, Loader=_Loader)
    return content
