/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exec, shell and console: into a running container. */
#include <errno.h>
#include <unistd.h>

#include "command.h"

/* As docker(1), podman(1) and chroot(1) have it: 125 is ours, the rest is the program's. */
enum { EXIT_EXEC_FAILED = 125 };

static int told(struct lb_context *context, int r)
{
	report_failure(context, r);
	return EXIT_EXEC_FAILED;
}

static bool read_id(const char *text, uid_t *ret_id)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || number > 4294967294UL)
		return false;
	*ret_id = (uid_t)number;
	return true;
}

static int run_exec(struct lb_context *context, int argc, char **argv)
{
	enum { UID = 'u', GID = 'g', CWD = 'c', ENV = 'e', TTY = 't', NO_TTY = 'T' };
	static const struct option long_options[] = {
		{ "uid", required_argument, NULL, UID }, { "gid", required_argument, NULL, GID },
		{ "cwd", required_argument, NULL, CWD }, { "env", required_argument, NULL, ENV },
		{ "tty", no_argument, NULL, TTY },	 { "no-tty", no_argument, NULL, NO_TTY },
		{ 0 },
	};
	const char **env = calloc((size_t)argc + 1, sizeof *env);
	struct lb_exec_options options = { .size = sizeof options, .env = env,
					   .tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
	struct lb_container *container = NULL;
	int option, result = EXIT_USAGE, status, r;
	size_t env_count = 0;

	opterr = 0;
	/* "+": the first word that is no option ends them; then comes NAME, then options again, or the program. */
	while (env && (option = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
		if (option == ENV && strchr(optarg, '='))
			env[env_count++] = optarg;
		else if (option == CWD)
			options.cwd = optarg;
		else if (option == TTY || option == NO_TTY)
			options.tty = option == TTY;
		else if ((option != UID || !read_id(optarg, &options.uid)) &&
			 (option != GID || !read_id(optarg, &options.gid))) {
			usage_error(&command_exec, "%s is not an option of it, or is not used rightly",
				    argv[optind - 1]);
			goto out;
		}
	}
	if (optind + 1 < argc && strcmp(argv[optind + 1], "--") == 0) {
		argv[optind + 1] = argv[optind];
		optind++;
	}
	if (argc - optind < 2) {
		usage_error(&command_exec, "give a container and a program to run in it");
		goto out;
	}
	container = open_container(context, argv[optind], &result);
	result = EXIT_EXEC_FAILED;
	if (!container)
		goto out;
	r = lb_container_exec(container, (const char *const *)(void *)(argv + optind + 1), &options, &status);
	result = r < 0 ? told(context, r) : status;
out:
	lb_container_free(container);
	free(env);
	return result;
}

static int run_shell(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "user", required_argument, NULL, 'u' }, { 0 } };
	const char *user = NULL;
	struct lb_container *container;
	int option, result, status, r;

	while ((option = next_option(&command_shell, argc, argv, long_options)) > 0)
		user = optarg;
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_shell, "give the name of one container");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return EXIT_EXEC_FAILED;
	r = lb_container_shell(container, user, &status);
	result = r < 0 ? told(context, r) : status;
	lb_container_free(container);
	return result;
}

static int run_console(struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	struct lb_container *container;
	int result, r;

	if (next_option(&command_console, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_console, "give the name of one container");
	container = open_container(context, argv[optind], &result);
	if (!container)
		return result;
	if (lb_container_get_state(container) == LB_STATE_RUNNING)
		say("the console of %s; leave it with Ctrl-a q", argv[optind]);
	r = lb_container_console(container);
	result = r < 0 ? report_failure(context, r) : EXIT_OK;
	lb_container_free(container);
	return result;
}

const struct command command_exec = {
	.name = "exec",
	.arguments = "[--uid N] [--gid N] [--cwd DIR] [--env NAME=VALUE]... [--tty|--no-tty] NAME -- COMMAND...",
	.summary = "Run a program in a running container",
	.help = "  --uid N, --gid N    who it runs as, by the container's own ids (default 0)\n"
		"  --cwd DIR           where it runs (default /)\n"
		"  --env NAME=VALUE    a variable of its environment; may come again\n"
		"  --tty, --no-tty     give it a terminal or not (default: where standard input and output are one)\n\n"
		"The terminal is one of the container's. A program without one gets none of the host's, into which it\n"
		"could type: a standard stream that is a terminal here is a pipe there; Ctrl-C is passed on.\n"
		"The exit status is the program's; 128 + N when signal N ended it; 127 when it is not there, 126 when "
		"it\n"
		"cannot be run, 125 when layerbox itself failed.\n",
	.run = run_exec,
};

const struct command command_shell = {
	.name = "shell",
	.arguments = "NAME [--user USER]",
	.summary = "Open a login shell in a running container",
	.help = "  --user USER    one of the container's users (default root)\n",
	.run = run_shell,
};

const struct command command_console = {
	.name = "console",
	.arguments = "NAME",
	.summary = "Join a container's console; Ctrl-a q leaves it",
	.run = run_console,
};
