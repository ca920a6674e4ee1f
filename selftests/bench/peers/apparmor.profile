# SPDX-License-Identifier: GPL-2.0
# What bench_calls does, and nothing else; loaded by apparmor_parser, entered by aa-exec.
abi <abi/3.0>,
include <tunables/global>

profile selfheal-bench {
  include <abstractions/base>

  capability sys_module,
  network inet stream,
  network inet dgram,
  network unix stream,
  signal (send, receive) peer=selfheal-bench,

  /opt/selfheal/selftests/bench/bench_calls mrix,
  /opt/selfheal/selftests/guest/tool_marker mrix,
  /opt/selfheal/selfheal.ko r,
  /dev/null rw,
  /dev/zero rw,
  /dev/ptmx rw,
  /dev/pts/* rw,
  owner /tmp/** rw,
  @{PROC}/@{pid}/** r,
  /sys/module/ r,
  /sys/module/** r,
}
