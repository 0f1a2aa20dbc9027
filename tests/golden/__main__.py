"""`python -m tests.golden`: write the golden shards anew, after a change that was meant."""

from tests.golden.shards import GOLDEN, made, path_of

for stage in GOLDEN:
    path, content = path_of(stage), made(stage)
    state = "unchanged" if path.is_file() and path.read_text(encoding="utf-8") == content else "written"
    path.write_text(content, encoding="utf-8")
    print(f"{path.name}: {state}")
