/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* init and doctor: the ground that everything stands on. */
#include "command.h"

static int run_init(struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	int r;

	if (next_option(&command_init, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(&command_init, "it takes no arguments; name another root with --root");
	r = lb_root_prepare(context);
	if (r < 0)
		return report_failure(context, r);
	say(r == 0 ? "prepared %s" : "%s was prepared already", lb_context_root(context));
	return EXIT_OK;
}

static void on_finding(const struct lb_finding *finding, void *userdata)
{
	(void)userdata;
	printf("%s: %s\n    %s%s\n", finding->subject, finding->problem, finding->repaired ? "repaired: " : "",
	       finding->remedy);
}

static int run_doctor(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "dry-run", no_argument, NULL, 'n' }, { 0 } };
	bool repair = true;
	int option, r;

	while ((option = next_option(&command_doctor, argc, argv, long_options)) > 0)
		repair = false;
	if (option < 0)
		return EXIT_USAGE;
	r = lb_doctor(context, repair, on_finding, NULL);
	if (r < 0)
		return report_failure(context, r);
	say(r == 0 ? "all is well" : "problems that remain: %d", r);
	return r == 0 ? EXIT_OK : EXIT_FAILED;
}

const struct command command_init = {
	.name = "init",
	.arguments = "",
	.summary = "Prepare the root: the directory that holds everything",
	.run = run_init,
};

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "[--dry-run]",
	.summary = "Find what is not as it should be, and repair what is safe to repair",
	.help = "  --dry-run      only look\n\nThe exit code is 1 where problems remain.\n",
	.run = run_doctor,
};
