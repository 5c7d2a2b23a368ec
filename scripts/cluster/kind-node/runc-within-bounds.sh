#!/bin/bash
# runc for docker on a machine whose processes lack CAP_SYS_RESOURCE: --privileged asks for all capabilities, and runc fails
# where one can't be had. It is taken out of what a container is to get. Needs jq and runc.
set -euo pipefail
last=
for word in "$@"; do
  case $last in
  --bundle | -b) file=$word/config.json process=.process ;;
  --process | -p) file=$word process=. ;;
  *) file= ;;
  esac
  if [ -n "$file" ] && [ -f "$file" ]; then
    bounded=$(jq "($process).capabilities |= with_entries(.value -= [\"CAP_SYS_RESOURCE\"]) | del(($process).oomScoreAdj)" "$file")
    printf '%s' "$bounded" >"$file"
  fi
  last=$word
done
exec runc "$@"
