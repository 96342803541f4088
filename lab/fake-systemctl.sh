#!/bin/sh
# FAKE: stands in for systemctl(1) on the lab's Docker hosts, whose process 1 is no systemd. What
# only writes files is done by the real one, which works offline; the manager's part is played here:
# units are read once and again after a daemon-reload, Requires= is looked at, and ExecStart= is
# run: to its end for a oneshot service, beside everything else for a simple one. Restart= is not
# played. Messages and exit codes are those of systemd 252 (src/systemctl/systemctl-util.c,
# systemctl-start-unit.c; LSB codes in systemd.exec(5)).
set -u
UNITS=/etc/systemd/system
LOADED=/run/fake-systemctl
RUNNING=/run/fake-systemctl-running
JOURNAL=/run/machine/fake-journal.log

refuse() {
  echo "$1" >&2
  exit "$2"
}

load() {
  [ -f "$UNITS/$1" ] || [ -f "$LOADED/$1" ] || refuse "Failed to $2 $1: Unit $1 not found." 5
  mkdir -p $LOADED
  [ -f "$LOADED/$1" ] || cp "$UNITS/$1" "$LOADED/$1"
  cmp -s "$UNITS/$1" "$LOADED/$1" ||
    echo "Warning: The unit file, source configuration file or drop-ins of $1 changed on disk. Run 'systemctl daemon-reload' to reload units." >&2
}

value() {
  sed -n "s/^$2=//p" "$LOADED/$1"
}

active() {
  case $1 in
  docker.service) [ -S /run/docker.sock ] && docker version >/dev/null 2>&1 ;;
  *) kill -0 "$(cat "$RUNNING/$1" 2>/dev/null)" 2>/dev/null ;;
  esac
}

# As the manager runs it: with no environment of the caller's, and as a session of its own.
execute() {
  exec setsid env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    sh -c "exec $(value "$1" ExecStart)" >>$JOURNAL 2>&1 </dev/null
}

start() {
  load "$1" start
  active "$1" && return
  for needed in $(value "$1" Requires); do
    active "$needed" ||
      refuse "A dependency job for $1 failed. See 'journalctl -xe' for details." 1
  done
  case $(value "$1" Type) in
  oneshot)
    (execute "$1")
    code=$?
    echo "$(date --iso-8601=seconds) $1: ended with $code" >>$JOURNAL
    [ $code = 0 ] || refuse "Job for $1 failed because the control process exited with error code.
See \"systemctl status $1\" and \"journalctl -xeu $1\" for details." 1
    ;;
  simple | '')
    mkdir -p $RUNNING
    execute "$1" &
    echo $! >"$RUNNING/$1"
    ;;
  *) refuse "fake-systemctl: $1 is neither oneshot nor simple; I start no other" 64 ;;
  esac
}

stop() {
  load "$1" stop
  active "$1" || return 0
  kill "$(cat "$RUNNING/$1")"
  rm "$RUNNING/$1"
}

[ $# -gt 0 ] || refuse "fake-systemctl: a verb is missing" 64
case $1 in
enable | disable | is-enabled) SYSTEMD_OFFLINE=1 exec /usr/bin/systemctl "$@" ;;
esac
verb=$1
shift
for word; do
  case $word in -*) refuse "fake-systemctl: I do not know the option $word" 64 ;; esac
done
case $verb in
daemon-reload) rm -rf $LOADED ;;
start) for unit; do start "$unit"; done ;;
restart) for unit; do stop "$unit" && start "$unit"; done ;;
stop) for unit; do stop "$unit"; done ;;
is-active)
  if active "$1"; then echo active; else
    echo inactive
    exit 3
  fi
  ;;
*) refuse "Unknown command verb $verb." 1 ;;
esac
