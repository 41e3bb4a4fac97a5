/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* export and import, send and receive, move: containers as streams. */
#include <unistd.h>

#include "command.h"

/* ---- writing ---- */

static int write_stream(struct lb_context *context, const struct command *command, const char *name,
			const struct lb_export_options *options)
{
	int r;

	if (isatty(STDOUT_FILENO))
		return usage_error(command, "a stream is nothing for a terminal: redirect it to a file or a program");
	r = lb_export(context, name, options, STDOUT_FILENO);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

struct oci_options {
	const char *directory, *tag;
	bool asked;
};

static int run_oci(struct lb_context *context, const char *name, const struct lb_export_options *options,
		   const struct oci_options *oci)
{
	int r;

	if (!oci->directory)
		return usage_error(&command_export, "an OCI image goes to a directory: give --output");
	if (options->with_base)
		return usage_error(&command_export, "an OCI image always has the base in it");
	r = lb_export_oci(context, name, options->snapshot, oci->directory, oci->tag);
	if (r < 0)
		return report_failure(context, r);
	say("added %s to %s", oci->tag ? oci->tag : name, oci->directory);
	return EXIT_OK;
}

static int run_export(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "snapshot", required_argument, NULL, 's' },
						      { "with-base", no_argument, NULL, 'b' },
						      { "format", required_argument, NULL, 'f' },
						      { "output", required_argument, NULL, 'o' },
						      { "tag", required_argument, NULL, 't' },
						      { 0 } };
	struct lb_export_options options = { .size = sizeof options };
	struct oci_options oci = { 0 };
	int option;

	while ((option = next_option(&command_export, argc, argv, long_options)) > 0) {
		if (option == 's')
			options.snapshot = optarg;
		else if (option == 'b')
			options.with_base = true;
		else if (option == 'o')
			oci.directory = optarg;
		else if (option == 't')
			oci.tag = optarg;
		else if (strcmp(optarg, "oci") == 0)
			oci.asked = true;
		else if (strcmp(optarg, "stream") != 0)
			return usage_error(&command_export, "\"%s\" is no format; there are stream and oci", optarg);
	}
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_export, "give the name of a container");
	if (oci.asked)
		return run_oci(context, argv[optind], &options, &oci);
	if (oci.directory || oci.tag)
		return usage_error(&command_export,
				   "--output and --tag are for --format oci; a stream goes to standard output");
	return write_stream(context, &command_export, argv[optind], &options);
}

const struct command command_export = {
	.name = "export",
	.arguments = "NAME [--snapshot LABEL] [--with-base] [--format stream|oci] [--output DIR] [--tag TAG]",
	.summary = "Write a container as one stream, or into an OCI image layout",
	.help = "  --snapshot LABEL  as that snapshot has it; default: as it is now, running or not\n"
		"  --with-base       with its base, for a host that has not that one\n"
		"  --format oci      add it to an OCI image layout instead\n"
		"  --output DIR      where that is; it is made where it is not there\n"
		"  --tag TAG         the image's name in it; default: the container's\n\n"
		"The stream goes to standard output: layerbox export tiger > tiger.layerbox\n",
	.run = run_export,
};

static int run_send(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "snapshot", required_argument, NULL, 's' },
						      { "since", required_argument, NULL, 'i' },
						      { "with-base", no_argument, NULL, 'b' },
						      { 0 } };
	struct lb_export_options options = { .size = sizeof options };
	int option;

	while ((option = next_option(&command_send, argc, argv, long_options)) > 0) {
		if (option == 's')
			options.snapshot = optarg;
		else if (option == 'i')
			options.since = optarg;
		else
			options.with_base = true;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_send, "give the name of a container");
	return write_stream(context, &command_send, argv[optind], &options);
}

const struct command command_send = {
	.name = "send",
	.arguments = "NAME [--snapshot LABEL] [--since LABEL] [--with-base]",
	.summary = "Write a container, or what changed in it since a snapshot, for `layerbox receive`",
	.help = "  --snapshot LABEL  as that snapshot has it; the receiver has that snapshot then, too\n"
		"  --since LABEL     only what a receiver that has this snapshot of it has not\n"
		"  --with-base       with its base, for a host that has not that one\n\n"
		"layerbox send tiger --snapshot monday | ssh HOST layerbox receive\n"
		"layerbox send tiger --snapshot tuesday --since monday | ssh HOST layerbox receive --replace\n",
	.run = run_send,
};

/* ---- reading ---- */

static int read_stream(struct lb_context *context, const struct command *command,
		       const struct lb_import_options *options, char **ret_name)
{
	int r;

	if (isatty(STDIN_FILENO))
		return usage_error(command,
				   "a stream does not come from a terminal: redirect it from a file or a program");
	r = lb_import(context, STDIN_FILENO, options, ret_name);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run_import(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "as", required_argument, NULL, 'a' },
						      { "base-as", required_argument, NULL, 'b' },
						      { "allow-privileged", no_argument, NULL, 'p' },
						      { 0 } };
	struct lb_import_options options = { .size = sizeof options };
	int option, result;
	char *name;

	while ((option = next_option(&command_import, argc, argv, long_options)) > 0) {
		if (option == 'a')
			options.as = optarg;
		else if (option == 'b')
			options.base_as = optarg;
		else
			options.allow_privileged = true;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(&command_import, "the stream comes from standard input");
	result = read_stream(context, &command_import, &options, &name);
	if (result != EXIT_OK)
		return result;
	say("imported %s", name);
	free(name);
	return EXIT_OK;
}

const struct command command_import = {
	.name = "import",
	.arguments = "[--as NAME] [--base-as BASE] [--allow-privileged]",
	.summary = "Make a container from a stream",
	.help = "  --as NAME           under another name, and with another address\n"
		"  --base-as BASE      the name of the base that comes along, where it is not here under any name\n"
		"  --allow-privileged  also a privileged one, whose root is this host's: trust whoever made the "
		"stream\n\n"
		"The stream comes from standard input: layerbox import < tiger.layerbox\n",
	.run = run_import,
};

/* One line, for the program at the other end. */
static int answer(struct lb_context *context, const char *const *question)
{
	char *line;
	int r = lb_move_answer(context, question, &line);

	if (r < 0)
		return report_failure(context, r);
	printf("%s\n", line);
	free(line);
	return EXIT_OK;
}

/* `receive --probe ...` and its kin: what a move asks. */
static int run_question(struct lb_context *context, const char *word, int argc, char **argv)
{
	const char *question[8] = { word };
	int count = 1;

	while (optind < argc && count < 7)
		question[count++] = argv[optind++];
	return answer(context, question);
}

static int run_receive(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "as", required_argument, NULL, 'a' },
						      { "replace", no_argument, NULL, 'r' },
						      { "base-as", required_argument, NULL, 'b' },
						      { "allow-privileged", no_argument, NULL, 'p' },
						      { "incoming", required_argument, NULL, 'i' },
						      { "probe", no_argument, NULL, 'P' },
						      { "commit", no_argument, NULL, 'C' },
						      { "abort", no_argument, NULL, 'A' },
						      { 0 } };
	struct lb_import_options options = { .size = sizeof options };
	const char *question = NULL;
	int option, result;
	char *name;

	while ((option = next_option(&command_receive, argc, argv, long_options)) > 0) {
		switch (option) {
		case 'a':
			options.as = optarg;
			break;
		case 'r':
			options.replace = true;
			break;
		case 'b':
			options.base_as = optarg;
			break;
		case 'p':
			options.allow_privileged = true;
			break;
		case 'i':
			options.incoming = optarg;
			break;
		default:
			question = option == 'P' ? "probe" : option == 'C' ? "commit" : "abort";
		}
	}
	if (option < 0)
		return EXIT_USAGE;
	if (question)
		return run_question(context, question, argc, argv);
	if (argc - optind > 1 || (optind < argc && options.as))
		return usage_error(&command_receive, "give one name at most");
	if (optind < argc)
		options.as = argv[optind];
	result = read_stream(context, &command_receive, &options, &name);
	if (result != EXIT_OK)
		return result;
	printf("received %s\n", name);
	free(name);
	return EXIT_OK;
}

const struct command command_receive = {
	.name = "receive",
	.arguments =
		"[NAME] [--as NAME] [--replace] [--base-as BASE] [--allow-privileged] [--incoming TOKEN] | --probe | "
		"--commit | --abort",
	.summary = "The other end of `layerbox send` and `layerbox move`",
	.help = "  NAME, --as NAME     under another name\n"
		"  --replace           the stopped container of that name goes on with what comes; its state is kept "
		"as a\n"
		"                      snapshot\n"
		"  --base-as BASE      the name of the base that comes along, where it is not here under any name\n"
		"  --allow-privileged  also a privileged one, whose root is this host's: trust whoever sends\n"
		"  --incoming TOKEN, --probe, --commit, --abort\n"
		"                      are for `layerbox move` of another host\n\n"
		"The stream comes from standard input; when all of it is here, `received NAME` is printed.\n",
	.run = run_receive,
};

/* ---- moving ---- */

static int run_back(struct lb_context *context, const char *name, bool unasked)
{
	int r = lb_move_back(context, name, unasked);

	if (r < 0)
		return report_failure(context, r);
	say(r ? "%s is here and nowhere else" : "%s is here again", name);
	return EXIT_OK;
}

static int run_move(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "back", no_argument, NULL, 'b' },
						      { "unasked", no_argument, NULL, 'u' },
						      { 0 } };
	bool back = false, unasked = false;
	int option, r;

	while ((option = next_option(&command_move, argc, argv, long_options)) > 0) {
		back = back || option == 'b';
		unasked = unasked || option == 'u';
	}
	if (option < 0)
		return EXIT_USAGE;
	if (unasked && !back)
		return usage_error(&command_move, "--unasked goes with --back");
	if (argc - optind != (back ? 1 : 2))
		return usage_error(&command_move, back ? "give a container" : "give a container and ssh://HOST");
	if (back)
		return run_back(context, argv[optind], unasked);
	r = lb_move(context, argv[optind], argv[optind + 1]);
	if (r < 0)
		return report_failure(context, r);
	say("moved %s to %s", argv[optind], argv[optind + 1]);
	return EXIT_OK;
}

const struct command command_move = {
	.name = "move",
	.arguments = "NAME ssh://[USER@]HOST[:PORT] | NAME --back [--unasked]",
	.summary = "Move a container to another host",
	.help = "  --back     take it back where a move was cut off when the other host had been told to start it\n"
		"  --unasked  without asking that host, which never runs again\n\n"
		"It is sent while it runs; then it stops for as long as it takes to send what changed meanwhile, and "
		"goes on\n"
		"there. Whatever fails before, it is here as it was, and runs where it ran.\n",
	.run = run_move,
};
