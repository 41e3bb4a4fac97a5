/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layerbox - the command line tool: finds the command, makes the context, and goes. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "command.h"

static const struct command *const commands[] = {
	&command_create, &command_start, &command_stop, &command_restart, &command_delete, &command_rename,
	&command_list, &command_info, &command_exec, &command_shell, &command_console, &command_freeze,
	&command_thaw, &command_push, &command_pull, &command_set, &command_get, &command_base_build,
	&command_base_import, &command_base_list, &command_base_show, &command_base_upgrade, &command_base_delete,
	&command_base_verify, &command_base_diff, &command_base_gc, &command_net_up, &command_net_down,
	&command_net_status, &command_net_list, &command_net_create, &command_net_delete, &command_net_set,
	&command_net_get, &command_net_egress, &command_lease_list, &command_lease_reserve,
	&command_lease_release, &command_lease_pool, &command_forward_add, &command_forward_list,
	&command_forward_remove, &command_export, &command_import, &command_send, &command_receive, &command_move,
	&command_backup_init, &command_backup_run, &command_backup_list, &command_backup_check, &command_backup_restore,
	&command_backup_forget, &command_backup_unlock,
	&command_rebase, &command_audit, &command_status, &command_snapshot_create,
	&command_snapshot_list, &command_snapshot_show, &command_snapshot_diff, &command_snapshot_restore,
	&command_snapshot_delete, &command_snapshot_rename, &command_snapshot_expire, &command_snapshot_mount,
	&command_snapshot_prune, &command_snapshot_run, &command_clone, &command_watch, &command_check, &command_events,
	&command_logs, &command_top, &command_metrics, &command_init, &command_doctor,
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static const char global_help[] =
	"Options for every command, before it or behind it:\n"
	"  --root DIR      the directory that holds everything (or LAYERBOX_ROOT; default /var/lib/layerbox)\n"
	"  --config FILE   another file than /etc/layerbox/layerbox.conf\n"
	"  -q, --quiet     say nothing but errors\n"
	"  -v, --verbose   say what is done on the way\n"
	"  --help          help for the command\n"
	"  --version       the version\n";

static void print_overview(FILE *out)
{
	fprintf(out, "layerbox - many small, long-lived Linux containers on one shared base\n\n"
		     "Usage: layerbox COMMAND [ARGUMENTS]\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-17s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n%s\n`layerbox COMMAND --help` says more of one; the manual is layerbox(8).\n", global_help);
}

static void print_help(const struct command *command)
{
	printf("Usage: layerbox %s%s%s\n\n%s.\n", command->name, *command->arguments ? " " : "", command->arguments,
	       command->summary);
	if (command->help)
		printf("\n%s", command->help);
	printf("\n%s", global_help);
}

/* Is the first of the command's two words @word? */
static bool is_of_group(const struct command *command, const char *word)
{
	size_t n = strlen(word);

	return strncmp(command->name, word, n) == 0 && command->name[n] == ' ';
}

/* `layerbox net --help`: the commands whose first word is @word; false where there is none. */
static bool print_group(const char *word)
{
	bool found = false;

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!is_of_group(commands[i], word))
			continue;
		if (!found)
			printf("Usage: layerbox %s COMMAND [ARGUMENTS]\n\n", word);
		printf("  %-17s %s\n", commands[i]->name, commands[i]->summary);
		found = true;
	}
	if (found)
		printf("\n%s", global_help);
	return found;
}

/* The command that the first one or two arguments name; *ret_words is how many. */
static const struct command *find_command(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; argc > 0 && i < COMMAND_COUNT; i++) {
		const char *space = strchr(commands[i]->name, ' ');
		size_t n = space ? (size_t)(space - commands[i]->name) : strlen(commands[i]->name);

		if (strlen(argv[0]) != n || strncmp(argv[0], commands[i]->name, n) != 0)
			continue;
		if (space && (argc < 2 || strcmp(argv[1], space + 1) != 0))
			continue;
		*ret_words = space ? 2 : 1;
		return commands[i];
	}
	return NULL;
}

struct globals {
	const char *root, *config_file;
	bool help, version, quiet, verbose;
};

/*
 * Takes the global options out of the arguments, wherever they stand in front of a `--`; behind `exec NAME` all
 * words are the program's, so there only those in front count. Returns the new argc, -1 for a missing value.
 */
static int take_globals(int argc, char **argv, struct globals *globals)
{
	int kept = 0, words = 0;
	bool is_exec = false;

	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], **value = NULL;

		if (strcmp(word, "--") == 0 || (is_exec && words >= 2)) {
			while (i < argc)
				argv[kept++] = argv[i++];
			break;
		}
		if (strcmp(word, "--root") == 0 || strncmp(word, "--root=", 7) == 0)
			value = &globals->root;
		else if (strcmp(word, "--config") == 0 || strncmp(word, "--config=", 9) == 0)
			value = &globals->config_file;
		if (value) {
			const char *equals = strchr(word, '=');

			if (!equals && i + 1 == argc) {
				fprintf(stderr, "layerbox: %s needs a value; see `layerbox help`\n", word);
				return -1;
			}
			*value = equals ? equals + 1 : argv[++i];
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			globals->help = true;
		} else if (strcmp(word, "--version") == 0) {
			globals->version = true;
		} else if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0) {
			globals->quiet = true;
		} else if (strcmp(word, "--verbose") == 0 || strcmp(word, "-v") == 0) {
			globals->verbose = true;
		} else {
			if (*word != '-' && words++ == 0)
				is_exec = strcmp(word, "exec") == 0;
			argv[kept++] = argv[i];
		}
	}
	argv[kept] = NULL;
	return kept;
}

static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	const struct globals *globals = userdata;

	if (level <= LB_LOG_WARNING || (globals->verbose && level <= LB_LOG_DEBUG) ||
	    (!globals->quiet && level <= LB_LOG_INFO))
		fprintf(stderr, "layerbox: %s%s\n", level == LB_LOG_WARNING ? "warning: " : "", message);
}

static void on_progress(const char *step, int percent, void *userdata)
{
	const struct globals *globals = userdata;
	bool tty = isatty(STDERR_FILENO);

	if (globals->quiet)
		return;
	if (percent >= 0)
		fprintf(stderr, tty ? "\r\033[K[%3d%%] %.70s" : "[%3d%%] %s\n", percent, step);
	else
		fprintf(stderr, tty ? "\r\033[K[    ] %.70s" : "[    ] %s\n", step);
	if (tty && percent == 100)
		fputc('\n', stderr);
	fflush(stderr);
}

static int no_such_command(int argc, char **argv)
{
	if (argc == 0) {
		print_overview(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!is_of_group(commands[i], argv[0]))
			continue;
		if (argc > 1 && *argv[1] != '-')
			fprintf(stderr, "layerbox: there is no command `%s %s`; see `layerbox help %s`\n", argv[0],
				argv[1], argv[0]);
		else
			fprintf(stderr, "layerbox: `%s` needs a word behind it, such as `%s`; see `layerbox help %s`\n",
				argv[0], commands[i]->name, argv[0]);
		return EXIT_USAGE;
	}
	fprintf(stderr, "layerbox: there is no command `%s`; see `layerbox help`\n", argv[0]);
	return EXIT_USAGE;
}

/*
 * What units run while the host comes up or goes down is not held up by what another command may do as well: there may
 * be whole trees to delete, locks to wait for, and containers to start again. What is started by such as the units of
 * metrics would have their low priority, or end with them.
 */
static bool is_for_a_unit(const struct command *command, int argc, char **argv)
{
	static const char *const of_units[] = { "--at-boot", "--at-shutdown", "--foreground", "--of-unit" };

	if (command == &command_net_up || command == &command_watch || command == &command_metrics)
		return true;
	if (command != &command_start && command != &command_stop)
		return false;
	for (int i = 1; i < argc; i++)
		for (size_t k = 0; k < sizeof of_units / sizeof *of_units; k++)
			if (strcmp(argv[i], of_units[k]) == 0)
				return true;
	return false;
}

static int run(const struct command *command, int argc, char **argv, struct globals *globals)
{
	struct lb_context_options options = { .size = sizeof options, .root = globals->root,
					      .config_file = globals->config_file };
	struct lb_context *context;
	int r = lb_context_new(&options, &context);

	if (r == 0) {
		lb_context_set_log(context, on_log, globals);
		lb_context_set_progress(context, on_progress, globals);
		/* Without a root, or without rights, there is nothing to sweep, and the command itself will say so. */
		if (!is_for_a_unit(command, argc, argv))
			(void)lb_sweep(context);
		r = command->run(context, argc, argv);
	} else {
		r = report_failure(context, r);
	}
	lb_context_free(context);
	if (fflush(stdout) != 0 && r == 0) {
		fprintf(stderr, "layerbox: cannot write the output: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return r;
}

int main(int argc, char **argv)
{
	struct globals globals = { .root = getenv("LAYERBOX_ROOT") };
	const struct command *command;
	int words = 0;

	if (globals.root && !*globals.root)
		globals.root = NULL;
	argc = take_globals(argc - 1, argv + 1, &globals);
	argv++;
	if (argc < 0)
		return EXIT_USAGE;
	set_quiet(globals.quiet);
	if (globals.version) {
		printf("layerbox %s\n", lb_version());
		return EXIT_OK;
	}
	if (argc > 0 && strcmp(argv[0], "help") == 0) {
		globals.help = true;
		argc--;
		argv++;
	}
	command = find_command(argc, argv, &words);
	if (globals.help && (argc == 0 || strcmp(argv[0], "help") == 0)) {
		print_overview(stdout);
		return EXIT_OK;
	}
	if (!command && globals.help && argc == 1 && print_group(argv[0]))
		return EXIT_OK;
	if (!command)
		return no_such_command(argc, argv);
	if (globals.help) {
		print_help(command);
		return EXIT_OK;
	}
	/* getopt(3) takes the word in front of the arguments for the program's name. */
	return run(command, argc - words + 1, argv + words - 1, &globals);
}
