#!/bin/sh
# Tells the chat of a new document.
set -eu
token=$(cat /run/secrets/chat_token 2>/dev/null || true)
[ -n "$token" ] || exit 0
curl -fsS -X POST https://chat.example.org/hooks/paper \
  -H "Authorization: Bearer $token" \
  -H 'Content-Type: application/json' \
  -d "{\"text\": \"$DOCUMENT_FILE_NAME\"}"
