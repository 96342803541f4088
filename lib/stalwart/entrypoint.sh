#!/bin/bash
# Gate and watch around Stalwart; process 1 of its container. Written by tailwart.
#
# Gate: Stalwart starts only when Postgres answers (lesson 1), and nothing listens before.
# Watch: once mail has been served, a server that no longer greets on SMTP is stopped, and the restart policy starts over.
#   This cures connections to Postgres that are bound to an address the sidecar has lost (lesson 16) and a database that is
#   blackholed: in both the process lives, /healthz is fine and every mail client hangs.
#
# Environment (durations in seconds):
#   TAILWART_POSTGRES_HOST, TAILWART_POSTGRES_PORT   what the gate waits for; required, 5432
#   TAILWART_GATE_INTERVAL   pause between two attempts; 1
#   TAILWART_GATE_TIMEOUT    patience for one attempt; 4
#   TAILWART_GATE_REPORT     how often a waiting gate says so; 30
#   TAILWART_WATCH           on | off; on
#   TAILWART_WATCH_HOST, TAILWART_WATCH_PORT   where the greeting is expected; 127.0.0.1, 25
#   TAILWART_WATCH_INTERVAL  pause between two looks; 5
#   TAILWART_WATCH_TIMEOUT   patience for a greeting; 5
#   TAILWART_WATCH_MISSES    missing greetings in a row that count as dead; 3
#   TAILWART_START_DEADLINE  patience for the first greeting after the start; 60
#   TAILWART_STOP_GRACE      patience after SIGTERM, before SIGKILL; 20. Docker's own stop timeout must be longer
#   TAILWART_STALWART        command; "/usr/local/bin/stalwart --config /etc/stalwart/config.toml", split at blanks
#   TAILWART_MARKER          empty, or the name of the row that a finished deploy leaves in the registry (Stalwart 0.16 and later): the server
#                            starts in recovery mode, where it takes no mail, until the row is there
#   TAILWART_ADMIN           "user:" and then the file with the password's hash, for the registry's API; "admin:/etc/stalwart/secrets/admin"
#   TAILWART_API_PORT        where the API listens; 8080
#   TAILWART_API_CURLRC      curl's config file with the API's password; /etc/stalwart/secrets/api.curlrc
# Exit status: Stalwart's own; 1 when the watch stopped it; 143 when stopped in the gate; 64 for wrong settings.

set -u

pg_host=${TAILWART_POSTGRES_HOST:-}
pg_port=${TAILWART_POSTGRES_PORT:-5432}
gate_interval=${TAILWART_GATE_INTERVAL:-1}
gate_timeout=${TAILWART_GATE_TIMEOUT:-4}
gate_report=${TAILWART_GATE_REPORT:-30}
watch=${TAILWART_WATCH:-on}
watch_host=${TAILWART_WATCH_HOST:-127.0.0.1}
watch_port=${TAILWART_WATCH_PORT:-25}
watch_interval=${TAILWART_WATCH_INTERVAL:-5}
watch_timeout=${TAILWART_WATCH_TIMEOUT:-5}
watch_misses=${TAILWART_WATCH_MISSES:-3}
start_deadline=${TAILWART_START_DEADLINE:-60}
stop_grace=${TAILWART_STOP_GRACE:-20}
marker=${TAILWART_MARKER:-}
admin=${TAILWART_ADMIN:-admin:/etc/stalwart/secrets/admin}
api_port=${TAILWART_API_PORT:-8080}
api_curlrc=${TAILWART_API_CURLRC:-/etc/stalwart/secrets/api.curlrc}
read -r -a stalwart <<<"${TAILWART_STALWART:-/usr/local/bin/stalwart --config /etc/stalwart/config.toml}"

child=    # Stalwart's process, while it runs
status=0  # its exit status, once it has ended
job=      # the one helper that is being waited for
stopping= # the signal that asked for a stop

say() { printf 'tailwart: %s\n' "$*"; }

# bash runs a trap only when the command in the foreground has ended. So whatever takes time is a background job under `wait`,
# and the trap ends that job.
on_stop() {
  stopping=$1
  [[ -n $child ]] && kill -TERM "$child" 2>/dev/null
  [[ -n $job ]] && kill -TERM "$job" 2>/dev/null
  return 0
}
trap 'on_stop TERM' TERM
trap 'on_stop INT' INT

# Runs a command as a job; its status, or 200 when it was cut short by a stop or by Stalwart's end.
run() {
  local finished result
  "$@" &
  job=$!
  while :; do
    finished=
    wait -n -p finished "$job" ${child:+"$child"}
    result=$?
    if [[ -n $child && ${finished:-} == "$child" ]]; then
      status=$result
      child=
      kill -TERM "$job" 2>/dev/null
      wait "$job" 2>/dev/null
      result=200
    elif [[ -z ${finished:-} ]] && kill -0 "$job" 2>/dev/null; then
      continue # a signal interrupted the wait, not the job
    fi
    job=
    [[ -z $stopping ]] || result=200
    return "$result"
  done
}

# Asks Postgres whether it speaks TLS: 8 bytes, the length 8 and the code 80877103 (PostgreSQL protocol, "SSLRequest"). It answers
# one byte, S or N, before any login. A port that merely accepts, such as a proxy in front of a dead database, does not pass.
probe_postgres() {
  local error
  error=$(
    LC_ALL=C timeout -k 1 "$gate_timeout" bash -c '
      exec 3<>"/dev/tcp/$1/$2" || exit 20
      printf "\x00\x00\x00\x08\x04\xd2\x16\x2f" >&3
      IFS= read -r -d "" -n 1 answer <&3
      [[ $answer == [SN] ]] || exit 14' gate "$pg_host" "$pg_port" 2>&1
  )
  case $? in
    0) exit 0 ;;
    14) exit 14 ;;
    124 | 137) exit 12 ;;
  esac
  case $error in
    *refused*) exit 11 ;;
    *"timed out"*) exit 12 ;;
    *unreachable* | *"No route"*) exit 13 ;;
    *) exit 10 ;; # getaddrinfo's words differ between libraries; what is left is the name
  esac
}

gate() {
  local result reason last= said=0
  until run probe_postgres; do
    result=$?
    [[ -z $stopping ]] || { say "gate: stopped by SIG$stopping"; exit 143; }
    case $result in
      10) reason="name does not resolve" ;;
      11) reason="connection refused" ;;
      12) reason="timed out" ;;
      13) reason="network unreachable" ;;
      *) reason="the port is open, but it does not answer as Postgres does" ;;
    esac
    if [[ $reason != "$last" ]] || ((SECONDS - said >= gate_report)); then
      say "gate: waiting for Postgres $pg_host:$pg_port: $reason"
      last=$reason said=$SECONDS
    fi
    run sleep "$gate_interval"
    [[ -z $stopping ]] || { say "gate: stopped by SIG$stopping"; exit 143; }
  done
  say "gate: Postgres $pg_host:$pg_port answers"
}

# Asks the registry for the marker: 0 when it is there, 14 when the server answers without it, 20 when nothing answers.
probe_marker() {
  local answer
  answer=$(
    timeout -k 1 5 curl --silent --fail --config "$api_curlrc" --header "Content-Type: application/json" --data-binary \
      '{"using":["urn:ietf:params:jmap:core","urn:stalwart:jmap"],"methodCalls":[["x:MtaConnectionStrategy/get",{"ids":null},"c0"]]}' \
      --url "http://127.0.0.1:$api_port/jmap"
  ) || exit 20
  [[ $answer == *"\"$marker\""* ]] || exit 14
}

# A new data store holds none of tailwart's settings: with Stalwart's defaults it would listen everywhere and deliver straight to the MX. So it is
# served in recovery mode, which has the API and nothing else, until a deploy has written everything and, last, the marker.
recovery() {
  local result said=
  STALWART_RECOVERY_MODE=1 STALWART_RECOVERY_PORT=$api_port "${stalwart[@]}" &
  child=$!
  while [[ -n $child && -z $stopping ]]; do
    run probe_marker
    result=$?
    if ((result == 0)); then
      kill -TERM "$child" 2>/dev/null
      while [[ -n $child ]]; do run sleep 1; done
      say "recovery: the settings are applied"
      return
    elif ((result == 14)) && [[ -z $said ]]; then
      say "recovery: the data store has no settings of tailwart's yet; serving the API alone until a deploy has applied them"
      said=1
    fi
    run sleep 1
  done
  if [[ -n $stopping ]]; then
    finish stop
    exit 143
  fi
  say "recovery: Stalwart has ended by itself"
  exit "$status"
}

# Status 0 when SMTP greets. It says QUIT then, so that the server does not count an aborted session.
probe_smtp() {
  exec timeout -k 1 "$watch_timeout" bash -c '
    exec 3<>"/dev/tcp/$1/$2" || exit 20
    IFS= read -r line <&3
    [[ $line == 220* ]] || exit 14
    printf "QUIT\r\n" >&3
    IFS= read -r line <&3
    exit 0' watch "$watch_host" "$watch_port" >/dev/null 2>&1
}

# Returns when Stalwart is to be stopped or has ended.
watch_smtp() {
  local misses=0 greeted= started=$SECONDS result reason
  while [[ -n $child && -z $stopping ]]; do
    run probe_smtp
    result=$?
    if ((result == 0)); then
      [[ -n $greeted ]] || say "watch: SMTP greets on $watch_host:$watch_port"
      greeted=1 misses=0
    elif ((result != 200)); then
      case $result in
        20) reason="refused" ;;
        14) reason="closed without a greeting" ;;
        *) reason="no greeting within $watch_timeout s" ;;
      esac
      if [[ -z $greeted ]]; then
        if ((SECONDS - started >= start_deadline)); then
          say "watch: no SMTP greeting on $watch_host:$watch_port within $start_deadline s of the start ($reason); starting over"
          status=1
          return
        fi
      else
        misses=$((misses + 1))
        say "watch: $watch_host:$watch_port $reason ($misses of $watch_misses)"
        if ((misses >= watch_misses)); then
          say "watch: Stalwart runs but serves no mail; starting over, which makes new connections to Postgres $pg_host:$pg_port (lesson 16)"
          status=1
          return
        fi
      fi
    fi
    if [[ -n $greeted ]]; then run sleep "$watch_interval"; else run sleep 1; fi
  done
}

# Waits until Stalwart has ended: for ever, or as a stop demands.
finish() {
  local finished result
  if [[ -n $child && -n $1 ]]; then
    kill -TERM "$child" 2>/dev/null
    sleep "$stop_grace" &
    job=$!
    while [[ -n $child ]]; do
      finished=
      wait -n -p finished "$child" "$job"
      result=$?
      if [[ ${finished:-} == "$child" ]]; then
        child=
        [[ $1 == watch ]] || status=$result
      elif ! kill -0 "$job" 2>/dev/null; then
        say "Stalwart did not end within $stop_grace s of SIGTERM; killing it"
        kill -KILL "$child" 2>/dev/null
        wait "$child"
        result=$?
        child=
        [[ $1 == watch ]] || status=$result
      fi
    done
    kill -TERM "$job" 2>/dev/null
    wait "$job" 2>/dev/null
  fi
}

if [[ -z $pg_host ]]; then
  say "gate: TAILWART_POSTGRES_HOST is not set; write the name of Postgres' machine, such as the-record-prod" >&2
  exit 64
fi

gate
if [[ -n $marker ]]; then
  # The registry's own accounts may not be there yet; this one always is. The hash, and never the password, is in the environment.
  STALWART_RECOVERY_ADMIN="${admin%%:*}:$(<"${admin#*:}")" || exit 64
  export STALWART_RECOVERY_ADMIN
  recovery
fi
"${stalwart[@]}" &
child=$!
if [[ $watch == off ]]; then
  while [[ -n $child && -z $stopping ]]; do run sleep 3600; done
else
  watch_smtp
fi
if [[ -n $stopping ]]; then
  finish stop
elif [[ -n $child ]]; then
  finish watch
fi
exit "$status"
