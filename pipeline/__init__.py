"""Training data for spoken dialogue models that listen while they speak."""

__version__ = "0.1.0"
