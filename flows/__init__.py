"""Prefect flows over the pipeline: the only importer of Prefect."""
