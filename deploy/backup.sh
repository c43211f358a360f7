#!/bin/sh
# A backup of the portal's PostgreSQL database: `deploy/backup.sh FOLDER [DAYS]`; docs/operations.md says what else to keep.
# DATABASE_URL comes from the environment, else from the file `.env` (or `ENV_FILE`). Older dumps than DAYS (14) go.
set -eu
umask 077
folder=${1:?usage: deploy/backup.sh FOLDER [DAYS]}
days=${2:-14}
file=${ENV_FILE:-.env}
url=${DATABASE_URL:-$(sed -n 's/^DATABASE_URL=//p' "$file")}
# What stands behind the question mark is the portal's own, and pg_dump refuses it.
url=${url%%\?*}
test -n "$url" || { echo "DATABASE_URL is set neither in the environment nor in $file." >&2; exit 1; }
mkdir -p "$folder"
dump="$folder/portal-$(date -u +%Y-%m-%dT%H%M%SZ).dump"
# A dump that was broken off never looks like a whole one.
pg_dump --format=custom --file="$dump.part" --dbname="$url"
mv "$dump.part" "$dump"
find "$folder" -name 'portal-*.dump' -mtime "+$days" -delete
echo "$dump"
