#!/bin/bash
# Gate and watch around Stalwart; process 1 of its container. Written by tailwart.
#
# Gate: Stalwart starts only when Postgres answers (lesson 1), and nothing listens before.
# Recovery: from a data store that no deploy has finished with the API alone is served, see
#   recovery.sh.
# Watch: a server that no longer greets on SMTP is started over. This cures connections to Postgres
#   that are bound to an address the sidecar has lost (lesson 16) and a database that is blackholed:
#   in both the process lives, /healthz is fine and every mail client hangs. A new process will do,
#   so the container stays, and with it the count of restarts: after each one the watch is twice as
#   patient, up to 16 times, until Stalwart has run for TAILWART_WATCH_CALM s.
# Namespace: when the anchor ends, its namespace loses the bridge and is dead. Then this container
#   leaves, so that Docker starts it in the anchor's next one. It waits for the anchor before: a
#   start without it fails, and Docker tries only once (moby#50326).
#
# Environment (durations in seconds):
#   TAILWART_DEVICE          the namespace's own device, which goes with the anchor; eth0
#   TAILWART_POSTGRES_HOST, TAILWART_POSTGRES_PORT   what the gate waits for; required, 5432
#   TAILWART_POSTGRES_TLS    on | off; off. On: the gate holds until Postgres offers TLS, since
#                            Stalwart itself goes on in clear where it is told that there is none
#   TAILWART_GATE_INTERVAL   pause between two attempts; 1
#   TAILWART_GATE_TIMEOUT    patience for one attempt; 4
#   TAILWART_GATE_REPORT     how often a waiting gate says so; 30
#   TAILWART_WATCH           on | off; on
#   TAILWART_WATCH_PORT      where the greeting is expected on 127.0.0.1: a listener of its own,
#                            since a flood fills the public one, and that is no death; 25
#   TAILWART_WATCH_INTERVAL  pause between two looks; 5
#   TAILWART_WATCH_TIMEOUT   patience for a greeting; 5
#   TAILWART_WATCH_MISSES    missing greetings in a row that count as dead; 3
#   TAILWART_WATCH_CALM      how long a restart is remembered; 900
#   TAILWART_START_DEADLINE  patience for the first greeting after the start; 60
#   TAILWART_STOP_GRACE      patience after SIGTERM, before SIGKILL; 20. Docker's own stop timeout
#                            must be longer
#   TAILWART_STALWART        command; "/usr/local/bin/stalwart --config /etc/stalwart/config.toml",
#                            split at blanks
# Exit status: Stalwart's own, when it has ended by itself or after a stop; 143 when stopped before
# its start; 64 for wrong settings.

set -u

device=${TAILWART_DEVICE:-eth0}
pg_host=${TAILWART_POSTGRES_HOST:-}
pg_port=${TAILWART_POSTGRES_PORT:-5432}
pg_tls=${TAILWART_POSTGRES_TLS:-off}
gate_interval=${TAILWART_GATE_INTERVAL:-1}
gate_timeout=${TAILWART_GATE_TIMEOUT:-4}
gate_report=${TAILWART_GATE_REPORT:-30}
watch=${TAILWART_WATCH:-on}
watch_port=${TAILWART_WATCH_PORT:-25}
watch_interval=${TAILWART_WATCH_INTERVAL:-5}
watch_timeout=${TAILWART_WATCH_TIMEOUT:-5}
watch_misses=${TAILWART_WATCH_MISSES:-3}
watch_calm=${TAILWART_WATCH_CALM:-900}
start_deadline=${TAILWART_START_DEADLINE:-60}
stop_grace=${TAILWART_STOP_GRACE:-20}
stalwart=${TAILWART_STALWART:-/usr/local/bin/stalwart --config /etc/stalwart/config.toml}
read -r -a stalwart <<<"$stalwart"

# Docker 29 gives a container 1024 open files, and lets it have more: with so few, a thousand idle
# clients of one listener would keep everybody out of all of them, and the watch too.
ulimit -Sn "$(ulimit -Hn)"

child=    # Stalwart's process, while it runs
status=0  # its exit status, once it has ended
job=      # the one helper that is being waited for
tick=     # a second, which bounds each wait
stopping= # the signal that asked for a stop
ending=   # set while Stalwart has its grace, which no signal shortens

say() { printf 'tailwart: %s\n' "$*"; }

# bash runs a trap only when the command in the foreground has ended. So whatever takes time is a
# background job under `wait`, and the trap ends that job.
on_stop() {
  stopping=$1
  [[ -n $child ]] && kill -TERM "$child" 2>/dev/null
  [[ -n $job && -z $ending ]] && kill -TERM "$job" 2>/dev/null
  return 0
}
trap 'on_stop TERM' TERM
trap 'on_stop INT' INT
# Nobody can be served any more, so nothing is worth a wait.
trap 'stop_grace=2; on_stop USR1' USR1
# Ends a `wait`, see ended.
trap : USR2

# Goes on beside everything else, for as long as process 1 is there.
watch_namespace() {
  while [[ -e /sys/class/net/$device ]]; do
    sleep 1
    kill -0 $$ 2>/dev/null || exit
  done
  say "$device is gone, so the anchor has ended; leaving for its next namespace"
  sleep 3
  kill -USR1 $$
}

# The status of a process that has ended, or 143 where bash has lost it. A signal with a trap makes a
# `wait` leave at once: also when it has just taken the end of a process from the kernel and has not
# noted it yet. bash holds that one to be running then, and would wait for it for ever.
ended() {
  local result
  if [[ -n $stopping ]]; then
    { sleep 1 && kill -USR2 $$ 2>/dev/null; } &
  fi
  wait "$1" 2>/dev/null
  result=$?
  ((result != 140)) || result=143 # 128 + SIGUSR2
  return "$result"
}

# Runs a command as a job; its status, or 200 when a stop or Stalwart's end has cut it short.
# Who has ended is asked of the kernel each turn: `wait -n` forgets a process that a signal has
# killed between two waits, while `wait` still knows its status. And it misses one that ends while it
# looks through its list (bash 5.2, wait_for_any_job), and waits for the end of any other: the tick's.
run() {
  local result
  "$@" &
  job=$!
  while kill -0 "$job" 2>/dev/null; do
    if [[ -n $child ]] && ! kill -0 "$child" 2>/dev/null; then
      kill -TERM "$job" 2>/dev/null
      break
    fi
    if ! kill -0 "$tick" 2>/dev/null; then
      [[ -z $tick ]] || ended "$tick"
      sleep 1 &
      tick=$!
    fi
    wait -n "$job" "$tick" ${child:+"$child"} 2>/dev/null
  done
  if [[ -z $stopping ]]; then ended "$job"; fi
  result=$?
  job=
  if [[ -n $child ]] && ! kill -0 "$child" 2>/dev/null; then
    ended "$child"
    status=$?
    child=
    result=200
  fi
  [[ -z $stopping ]] || result=200
  return "$result"
}

# Ends Stalwart, and by force when it takes longer than its grace. A stop may be under way already.
end_stalwart() {
  [[ -n $child ]] || return 0
  ending=1
  kill -TERM "$child" 2>/dev/null
  run sleep "$stop_grace"
  if [[ -n $child ]]; then
    say "Stalwart did not end within $stop_grace s of SIGTERM; killing it"
    kill -KILL "$child" 2>/dev/null
    while kill -0 "$child" 2>/dev/null; do wait "$child" 2>/dev/null; done
    status=137 child=
  fi
  ending=
}

# Leaves when a stop was asked for: with 143 when Stalwart does not serve mail yet.
leave_if_stopped() {
  [[ -n $stopping ]] || return 0
  end_stalwart
  say "$1: stopped by SIG$stopping"
  exit 143
}

# shellcheck source=recovery.sh
source "${BASH_SOURCE[0]%/*}/recovery.sh"

# Asks Postgres whether it speaks TLS: 8 bytes, the length 8 and the code 80877103 (PostgreSQL
# protocol, "SSLRequest"). It answers one byte, S or N, before any login. A port that merely
# accepts, such as a proxy in front of a dead database, does not pass.
probe_postgres() {
  local error
  error=$(
    LC_ALL=C timeout -k 1 "$gate_timeout" bash -c '
      exec 3<>"/dev/tcp/$1/$2" || exit 20
      printf "\x00\x00\x00\x08\x04\xd2\x16\x2f" >&3
      IFS= read -r -d "" -n 1 answer <&3
      [[ $answer == [SN] ]] || exit 14
      [[ $answer == S || $3 == off ]] || exit 15' gate "$pg_host" "$pg_port" "$pg_tls" 2>&1
  )
  case $? in
    0) exit 0 ;;
    14 | 15) exit $? ;;
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
    leave_if_stopped gate
    case $result in
      10) reason="name does not resolve" ;;
      11) reason="connection refused" ;;
      12) reason="timed out" ;;
      13) reason="network unreachable" ;;
      15) reason="it offers no TLS, which postgres.tls demands; set ssl = on in postgresql.conf" ;;
      *) reason="the port is open, but it does not answer as Postgres does" ;;
    esac
    if [[ $reason != "$last" ]] || ((SECONDS - said >= gate_report)); then
      say "gate: waiting for Postgres $pg_host:$pg_port: $reason"
      last=$reason said=$SECONDS
    fi
    run sleep "$gate_interval"
    leave_if_stopped gate
  done
  say "gate: Postgres $pg_host:$pg_port answers"
}

# Status 0 when SMTP greets. It says QUIT then, so that the server counts no aborted session.
probe_smtp() {
  exec timeout -k 1 "$watch_timeout" bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 20
    IFS= read -r line <&3 || exit 14
    [[ $line == 220* ]] || exit 15
    printf "QUIT\r\n" >&3
    IFS= read -r line <&3
    exit 0' watch "$watch_port" >/dev/null 2>&1
}

# Returns when Stalwart has ended or is to be stopped, and with 1 when it is to be started over.
watch_smtp() {
  local misses=0 greeted= closed= started=$SECONDS patience result reason
  while [[ -n $child && -z $stopping ]]; do
    ((SECONDS - started < watch_calm)) || restarts=0
    patience=$((1 << (restarts < 4 ? restarts : 4)))
    run probe_smtp
    result=$?
    case $result in
      0) reason= ;;
      14) reason="closes without a greeting" ;;
      15) reason="greets with something else than 220" ;;
      20) reason="is refused" ;;
      *) reason="sends no greeting within $watch_timeout s" ;;
    esac
    if ((result == 0)); then
      [[ -n $greeted ]] || say "watch: SMTP greets on 127.0.0.1:$watch_port"
      greeted=1 misses=0 closed=
    elif [[ -z $child || -n $stopping ]]; then
      return 0
    elif [[ -z $greeted ]]; then
      if ((SECONDS - started >= start_deadline * patience)); then
        say "watch: no SMTP greeting within $((SECONDS - started)) s of the start:" \
          "127.0.0.1:$watch_port $reason"
        return 1
      fi
    elif ((result == 14)); then
      # Whoever closes is alive: it is full or has banned us, and no restart cures either.
      [[ -n $closed ]] || say "ALERT watch: 127.0.0.1:$watch_port $reason; Stalwart is left running"
      closed=1 misses=0
    else
      misses=$((misses + 1))
      say "watch: 127.0.0.1:$watch_port $reason ($misses of $((watch_misses * patience)))"
      ((misses < watch_misses * patience)) || return 1
    fi
    if [[ -n $greeted ]]; then run sleep "$watch_interval"; else run sleep 1; fi
  done
  return 0
}

if [[ -z $pg_host ]]; then
  say "gate: TAILWART_POSTGRES_HOST is not set;" \
    "write the name of Postgres' machine, such as the-record-prod" >&2
  exit 64
fi

watch_namespace &

restarts=0 # by the watch, lately
while :; do
  gate
  until_applied || continue
  start
  if [[ $watch == off ]]; then
    while [[ -n $child && -z $stopping ]]; do run sleep 5; done
    break
  fi
  watch_smtp && break
  restarts=$((restarts + 1))
  say "watch: Stalwart runs but serves no mail; starting over," \
    "which makes new connections to Postgres $pg_host:$pg_port (lesson 16)"
  ((restarts < 2)) || say "ALERT watch: restart $restarts in a row; starting over does not cure it"
  end_stalwart
  [[ -z $stopping ]] || break
done
end_stalwart
[[ -n $stopping ]] || say "Stalwart has ended by itself, with status $status"
exit "$status"
