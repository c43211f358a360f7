"""The commands that docs/operations.md tells an operator, as they stand there."""

import re
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "docs/operations.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# In the running text a command may be broken over two lines.
INLINE = [" ".join(text.split()) for text in re.findall(r"(?<!`)`([^`]+)`(?!`)", PAGE)]
LINES = [line.partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
_PROGRAM = re.compile(r"(python|gunicorn|celery|docker|pg_\w+|psql|redis-cli|deploy/\S+\.sh) ")
_SQL = re.compile(r"(ALTER|CREATE|DELETE|DROP|INSERT|REINDEX|SELECT|UPDATE) |VACUUM\b")
COMMANDS = {text for text in INLINE if _PROGRAM.match(text) or _SQL.match(text)} | set(LINES)
MANAGED = sorted({line for line in COMMANDS if re.search(r"\bmanage\.py \w", line)})
COMPOSED = sorted({line for line in COMMANDS if line.startswith("docker compose ")})
