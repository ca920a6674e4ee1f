# SPDX-License-Identifier: GPL-2.0
#
# The table of contents of healctl. Everything but main.c is also compiled,
# with sanitizers, into the unit tests and fuzzers.

# Policy files: pure, no netlink, no output.
PARSE_SRC := names.c units.c errnos.c syscalls.c policy.c policy_diag.c policy_values.c \
	policy_keys.c policy_hold.c policy_sense.c policy_rescue.c policy_rules.c policy_lint.c \
	policy_parse.c history.c rules.c

# The interface of the kernel module: netlink to plain structs and back.
IPC_SRC := decode.c decode_incident.c decode_status.c encode.c ipc_socket.c ipc_policy.c \
	ipc_domain.c ipc_incident.c ipc_event.c ipc_status.c

# What people and programs read.
PRINT_SRC := print.c print_text.c print_json.c print_value.c view_policy.c \
	view_domain.c view_incident.c view_event.c view_status.c

COMMAND_SRC := args.c commands.c help.c report.c policy_file.c cmd_policy.c \
	cmd_run.c cmd_domain.c cmd_incident.c cmd_quarantine.c cmd_rescue.c cmd_core.c \
	core_elf.c core_maps.c core_keep.c cmd_agent.c \
	agent_queue.c agent_run.c damp.c cmd_monitor.c cmd_status.c cmd_lock.c cmd_guard.c

LIB_SRC := $(PARSE_SRC) $(IPC_SRC) $(PRINT_SRC) $(COMMAND_SRC)
HEALCTL_SRC := main.c $(LIB_SRC)
