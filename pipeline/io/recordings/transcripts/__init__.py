"""Files that say who said what when, one module per corpus; `pipeline.io.recordings.words` knows them all."""
