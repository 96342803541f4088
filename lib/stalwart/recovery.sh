# What is served from a data store that no deploy has finished with: the API alone, so that mail
# waits with its senders. A part of entrypoint.sh, with its variables. Written by tailwart.
#
# Environment (durations in seconds):
#   TAILWART_MARKER_KEY      the key that a finished deploy leaves in the data store of 0.15; empty
#   TAILWART_MARKER_ROW      the row that it leaves in the registry of 0.16 and later; empty
#   TAILWART_MARKER_PORT     where 0.16 and later are asked for that row before anything is served:
#                            not the API's port, whose server is taken for ready; 8079
#   TAILWART_MARKER_INTERVAL pause between two looks for it while the API alone is served; 10
#   TAILWART_HANDOVER        what the deploy that has left it may take to restart the container; 20
#   TAILWART_RECOVERY        command that serves the API alone; TAILWART_STALWART, to which 0.16 and
#                            later are told so by STALWART_RECOVERY_MODE
#   TAILWART_ADMIN           "user:" and then the file with the password's hash, such as
#                            "admin:/etc/stalwart/secrets/admin": the administrator of last resort;
#                            empty for none
#   TAILWART_API_PORT        where the API listens; 8080
#   TAILWART_API_LOGIN       file with the API's `user:password`; /etc/stalwart/secrets/api

marker_key=${TAILWART_MARKER_KEY:-}
marker_row=${TAILWART_MARKER_ROW:-}
marker_port=${TAILWART_MARKER_PORT:-8079}
marker_interval=${TAILWART_MARKER_INTERVAL:-10}
handover=${TAILWART_HANDOVER:-20}
admin=${TAILWART_ADMIN:-}
api_port=${TAILWART_API_PORT:-8080}
api_login=${TAILWART_API_LOGIN:-/etc/stalwart/secrets/api}
read -r -a recovery <<<"${TAILWART_RECOVERY:-${stalwart[*]}}"

# The administrator of last resort of 0.16 and later: by hash, since it is in the environment.
last_resort=
if [[ -n $marker_row ]]; then
  last_resort="${admin%%:*}:$(<"${admin#*:}")" || exit 64
fi

row_query='{"using":["urn:ietf:params:jmap:core","urn:stalwart:jmap"],'
row_query+='"methodCalls":[["x:MtaConnectionStrategy/get",{"ids":null},"c0"]]}'

# Looks for the marker: 0 when it is there, 14 when it is not, 20 when that cannot be told.
probe_marker() {
  if [[ -n $marker_key ]]; then probe_marker_key; else probe_marker_row "$api_port"; fi
}

# By the server's console, which reads the data store in a process that listens nowhere and sends no
# mail (common/src/manager/console.rs); `s` is the table of the settings.
# With `release` the locks of the queue are taken out of the table `m` as well. A server that was
# killed, or has lost Postgres, leaves one on each message that it was delivering, and its successor
# would not touch that message for ten minutes (smtp/src/queue/spool.rs; 21 is KV_LOCK_QUEUE_MESSAGE
# of common/src/lib.rs). Before a start nobody else delivers, so that each lock is a dead one's. The
# console asks for a `y` where there are any; whether that went well does not hold up the start.
probe_marker_key() {
  local answer commands="get s$marker_key"
  [[ ${1:-} != release ]] || commands+=$'\ndelete m\\x15 m\\x16\ny'
  answer=$(printf '%s\nexit\n' "$commands" | timeout -k 1 15 "${recovery[@]}" --console 2>/dev/null)
  if [[ $answer =~ Deleted\ ([0-9]+)\ keys ]]; then
    say "queue: ${BASH_REMATCH[1]} messages were under way when the last server ended; they are" \
      "tried again at once"
  fi
  case $answer in
    *"> true"*) exit 0 ;;
    *"> Key not found."*) exit 14 ;;
    *) exit 20 ;;
  esac
}

# One request to the API, with its login: port, method, path, and a body in JSON. By bash itself,
# since images have no curl. Whoever keeps the connection open is cut off after 5 s, and what it has
# said counts.
ask_api() {
  LC_ALL=C timeout -k 1 5 bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 20
    printf "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" "$3" "$4" >&3
    printf "Authorization: Basic %s\r\n" "$(printf %s "$(<"$2")" | base64 -w 0)" >&3
    printf "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" "${#5}" "$5" >&3
    cat <&3' ask "$1" "$api_login" "${@:2}" 2>/dev/null
}

# By the registry's API, on a port. A server that has lost Postgres answers 200 too, with no list.
probe_marker_row() {
  local answer
  answer=$(ask_api "$1" POST /jmap "$row_query")
  [[ $answer == "HTTP/1.1 200"*'"list":['* ]] || exit 20
  [[ $answer == *"\"$marker_row\""* ]] || exit 14
}

# Asks whether the API takes its login: 0 when it does, 14 when it refuses, 20 when nothing answers.
probe_login() {
  local answer
  if [[ -n $marker_row ]]; then
    answer=$(ask_api "$api_port" POST /jmap "$row_query")
  else
    answer=$(ask_api "$api_port" GET "/api/settings/keys?keys=server.hostname" "")
  fi
  case $answer in
    "HTTP/1.1 200"*) exit 0 ;;
    "HTTP/1.1 401"* | "HTTP/1.1 403"*) exit 14 ;;
    *) exit 20 ;;
  esac
}

# Starts the mail server. Its administrator is an account of the data store, which cannot log in by
# a mail protocol (provider/keys/admin.ts), or not from the internet (provider/registry/admin.ts).
# One of the config file or of the environment is let in anywhere: so there is none, but where the
# account is missing or has another password, until a deploy has mended that.
start() {
  local result since=$SECONDS
  "${stalwart[@]}" &
  child=$!
  [[ -n $admin ]] || return 0
  while :; do
    run probe_login
    result=$?
    ((result == 20 && SECONDS - since < start_deadline)) || break
    run sleep 1 || break # it has ended by itself
  done
  ((result == 14)) || return 0
  say "admin: the API refuses its login, so the account is missing or has another password;" \
    "starting over with an administrator of last resort, until a deploy has mended that"
  end_stalwart
  [[ -z $stopping ]] || return 0
  start_with_last_resort
}

start_with_last_resort() {
  local config=${TMPDIR:-/tmp}/tailwart-last-resort.toml
  if [[ -n $last_resort ]]; then
    STALWART_RECOVERY_ADMIN=$last_resort "${stalwart[@]}" &
    child=$!
    return 0
  fi
  {
    cat "${stalwart[-1]}"
    printf 'authentication.fallback-admin.user = "%s"\n' "${admin%%:*}"
    printf 'authentication.fallback-admin.secret = "%%{file:%s}%%"\n' "${admin#*:}"
  } >"$config"
  "${stalwart[@]:0:${#stalwart[@]}-1}" "$config" &
  child=$!
}

# Serves the API alone, on a port.
serve_api() {
  STALWART_RECOVERY_MODE=1 STALWART_RECOVERY_MODE_PORT=$1 STALWART_RECOVERY_ADMIN=$last_resort \
    "${recovery[@]}" &
  child=$!
}

# Looks for the marker before anything is served; the same statuses.
look_for_marker() {
  local result=20 said= since=$SECONDS
  if [[ -n $marker_key ]]; then
    run probe_marker_key release
    result=$?
  else
    serve_api "$marker_port"
    while [[ -n $child && -z $stopping ]]; do
      run probe_marker_row "$marker_port"
      result=$?
      ((result == 20)) || break
      if [[ -z $said ]] && ((SECONDS - since >= start_deadline)); then
        say "recovery: the API on port $marker_port does not tell whether the data store has" \
          "tailwart's settings; still asking"
        said=1
      fi
      run sleep 0.3
    done
    leave_if_recovery_ended
    end_stalwart
  fi
  return "$result"
}

leave_if_recovery_ended() {
  leave_if_stopped recovery
  [[ -z $child ]] || return 0
  say "recovery: Stalwart has ended by itself"
  exit "$status"
}

# Returns once the data store holds the marker. One without it has none of tailwart's settings: with
# Stalwart's defaults mail for every address would be refused for good, and what is sent would go
# straight to the MX. So the API alone is served, until a deploy has written everything and, last,
# the marker. That deploy restarts the container then; where it does not, this goes on by itself.
until_applied() {
  local result
  [[ -n $marker_key$marker_row ]] || return 0
  look_for_marker
  result=$?
  leave_if_stopped recovery
  case $result in
    0) return 0 ;;
    14) ;;
    *)
      say "recovery: it cannot be told whether the data store has tailwart's settings"
      run sleep 1
      leave_if_stopped recovery
      return 1
      ;;
  esac
  serve_api "$api_port"
  say "recovery: the data store has no settings of tailwart's;" \
    "serving the API alone until a deploy has applied them: pulumi up"
  until run probe_marker; do
    leave_if_recovery_ended
    run sleep "$marker_interval"
    leave_if_recovery_ended
  done
  say "recovery: the settings are applied; the deploy restarts the container, or this goes on in" \
    "$handover s"
  run sleep "$handover"
  leave_if_recovery_ended
  end_stalwart
  leave_if_stopped recovery
}
