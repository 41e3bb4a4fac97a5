/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of the tool have in common: the table's entries, options, and how results are told. */
#pragma once

#include <getopt.h>
#include <layerbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exit codes: layerbox(8), EXIT STATUS. */
enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_ERRORS = 3 /* + code - LB_ERR_BAD_NAME */ };

struct command {
	const char *name;             /* "create", or "base build" with a space */
	const char *arguments;        /* "NAME... [--base BASE]" */
	const char *summary;          /* one line for the list of commands */
	const char *help;             /* what --help says of arguments and options; may be NULL */
	int (*run)(struct lb_context *context, int argc, char **argv);
};

extern const struct command command_create, command_start, command_stop, command_restart, command_delete,
	command_rename, command_list, command_info, command_exec, command_shell, command_console, command_freeze,
	command_thaw, command_push, command_pull, command_set, command_get, command_base_build, command_base_import,
	command_base_list, command_base_show, command_base_delete, command_base_upgrade, command_base_verify,
	command_base_diff, command_base_gc, command_net_up, command_net_down, command_net_status, command_net_list,
	command_net_create, command_net_delete, command_net_set, command_net_get, command_net_egress,
	command_lease_list, command_lease_reserve, command_lease_release, command_lease_pool, command_forward_add,
	command_forward_list, command_forward_remove, command_init, command_doctor, command_export, command_import,
	command_send, command_receive, command_move, command_backup_init, command_backup_run, command_backup_list,
	command_backup_check, command_backup_restore, command_backup_forget, command_backup_unlock, command_rebase,
	command_audit, command_status, command_clone, command_snapshot_create, command_snapshot_list,
	command_snapshot_show, command_snapshot_diff, command_snapshot_restore, command_snapshot_delete,
	command_snapshot_rename, command_snapshot_expire, command_snapshot_mount, command_snapshot_prune,
	command_snapshot_run, command_metrics, command_top, command_events, command_logs, command_watch, command_check;

/* Tells the context's failure on stderr and returns the exit code for @result. */
int report_failure(struct lb_context *context, int result);

/* The exit code for a result, without a word. */
int exit_code(int result);

/* Tells what is wrong with the arguments, and where help is. Returns EXIT_USAGE. */
int usage_error(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * getopt_long(3) with messages of our own: 0 at the end of the options (optind is at the first argument), the
 * option's `val` else, -1 after a wrong one, which has been told.
 */
int next_option(const struct command *command, int argc, char **argv, const struct option *options);

/* The same for a command that has options of one letter, too: @letters is as for getopt(3), with a colon in front. */
int next_option_of(const struct command *command, int argc, char **argv, const char *letters,
		   const struct option *options);

/* The same for a command that has --json and no other option: whether it was given, or -1. */
int json_option(const struct command *command, int argc, char **argv);

/*
 * The containers that a command works on: the arguments from optind on or, with @all, every container. Free the
 * array and what is in it with free_names(). NULL after a failure, which has been told, with its code in *ret_exit.
 */
char **names_of(struct lb_context *context, const struct command *command, int argc, char **argv, bool all,
		int *ret_exit);
void free_names(char **names);

/* Opens the one container argument; NULL after a failure, which has been told. */
struct lb_container *open_container(struct lb_context *context, const char *name, int *ret_exit);

/* Cuts the argument KEY=VALUE behind its key, in place; the value, or NULL where it is none, which has been told. */
char *cut_assignment(const struct command *command, char *argument);

/* Shows one setting that was got with result @result, as `get` does, and frees @value. Returns the exit code. */
int print_setting(struct lb_context *context, int result, const char *key, char *value, bool with_key);

/* Is the environment or --json asking for bare output? Words for people go to stderr unless --quiet was given. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void set_quiet(bool quiet);
