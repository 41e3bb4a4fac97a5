/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start, stop, restart, freeze, thaw and delete: what is done to several containers by name, or to all. */
#include "command.h"
#include "foreground.h"
#include "unit-conditions.h"
#include "run-all.h"

/* What was asked for: filled from the command line. */
struct request {
	struct lb_run_options options;
	bool all, force, foreground, at_boot, at_shutdown, of_unit;
	char **names;
};

/* How results are told: words for what changed and for what was so already. */
struct teller {
	const char *done, *already;
	char **names;                 /* of all */
	char **through;               /* of those that have not failed, if somebody wants to know */
	int result;
};

static void note_through(struct teller *teller, const char *name)
{
	char **known = teller->names;

	if (!teller->through)
		return;
	while (*known && strcmp(*known, name) != 0)
		known++;
	*teller->through++ = *known;
}

static void tell(const char *name, int result, const char *error, void *userdata)
{
	struct teller *teller = userdata;

	if (result < 0) {
		fprintf(stderr, "layerbox: %s\n", error);
		if (teller->result == EXIT_OK)
			teller->result = exit_code(result);
	} else {
		say("%s %s", result == 0 ? teller->done : teller->already, name);
		note_through(teller, name);
	}
}

static bool read_number(const char *text, unsigned *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || number == 0 || number > 86400)
		return false;
	*ret_number = (unsigned)number;
	return true;
}

enum { ALL = 'a', TIMEOUT = 't', KILL = 'k', FORCE = 'f', JOBS = 'j', FOREGROUND = 'F', AT_BOOT = 'b', AT_SHUTDOWN = 's',
       OF_UNIT = 'u', DEADLINE = 'd' };

static const struct option long_options[] = {
	{ "all", no_argument, NULL, ALL },     { "timeout", required_argument, NULL, TIMEOUT },
	{ "kill", no_argument, NULL, KILL },   { "force", no_argument, NULL, FORCE },
	{ "jobs", required_argument, NULL, JOBS }, { "foreground", no_argument, NULL, FOREGROUND },
	{ "at-boot", no_argument, NULL, AT_BOOT }, { "at-shutdown", no_argument, NULL, AT_SHUTDOWN },
	{ "of-unit", no_argument, NULL, OF_UNIT }, { "deadline", required_argument, NULL, DEADLINE }, { 0 },
};

/* Each command knows those options that its usage line shows. */
static bool check_known(const struct command *command, int option)
{
	const struct option *known = long_options;
	char text[16];

	while (known->name && known->val != option)
		known++;
	snprintf(text, sizeof text, "--%s", known->name);
	if (strstr(command->arguments, text))
		return true;
	usage_error(command, "%s is not an option of it", text);
	return false;
}

/* Those that are for systemd's units. */
static void note_unit_option(struct request *request, int option)
{
	request->foreground = request->foreground || option == FOREGROUND;
	request->at_boot = request->at_boot || option == AT_BOOT;
	request->at_shutdown = request->at_shutdown || option == AT_SHUTDOWN;
	request->of_unit = request->of_unit || option == OF_UNIT;
}

/* Is there a reason not to do it? It is told. */
static bool is_called_off(struct lb_context *context, const struct request *request)
{
	if ((request->at_boot || request->at_shutdown) && root_was_never_made(context))
		say("nothing to do: layerbox was never prepared here with `layerbox init`");
	else if (request->at_shutdown && !host_goes_down())
		say("nothing to do: the host is not going down");
	else if (request->of_unit && unit_has_ended())
		say("nothing to do: the container has ended already");
	else
		return false;
	return true;
}

/* Some find out themselves who is meant by --all. */
static bool read_names(struct lb_context *context, const struct command *command, int argc, char **argv,
		       struct request *request, int *ret_exit)
{
	bool finds_all = command == &command_start || command == &command_stop || command == &command_restart;

	if (finds_all && request->all && optind == argc)
		return true;
	request->names = names_of(context, command, argc, argv, request->all, ret_exit);
	return request->names != NULL;
}

/* False also where nothing is to be done: *ret_exit is EXIT_OK then. */
static bool read_request(struct lb_context *context, const struct command *command, int argc, char **argv,
			 struct request *request, int *ret_exit)
{
	int option;

	*request = (struct request){ .options.size = sizeof request->options };
	*ret_exit = EXIT_USAGE;
	while ((option = next_option(command, argc, argv, long_options)) > 0) {
		if (!check_known(command, option))
			return false;
		request->all = request->all || option == ALL;
		request->force = request->force || option == FORCE;
		note_unit_option(request, option);
		request->options.kill = request->options.kill || option == KILL;
		if ((option == TIMEOUT && !read_number(optarg, &request->options.timeout_s)) ||
		    (option == DEADLINE && !read_number(optarg, &request->options.deadline_s)) ||
		    (option == JOBS && !read_number(optarg, &request->options.jobs))) {
			usage_error(command, "\"%s\" is not a number from 1 to 86400", optarg);
			return false;
		}
	}
	if (option < 0)
		return false;
	if (is_called_off(context, request)) {
		*ret_exit = EXIT_OK;
		return false;
	}
	return read_names(context, command, argc, argv, request, ret_exit);
}

typedef int (*many_fn)(struct lb_context *context, const char *const *names, const struct lb_run_options *options,
		       lb_result_fn fn, void *userdata);

static int run_many(struct lb_context *context, const struct request *request, many_fn many, const char *done,
		    const char *already, char **through)
{
	struct teller teller = { .done = done, .already = already, .names = request->names, .through = through };
	int r = many(context, (const char *const *)(void *)request->names, &request->options, tell, &teller);

	if (r < 0 && teller.result == EXIT_OK)
		return report_failure(context, r);
	return teller.result;
}

static int run_start(struct lb_context *context, int argc, char **argv)
{
	struct request request;
	int result;

	if (!read_request(context, &command_start, argc, argv, &request, &result))
		return result;
	if (request.foreground && (request.all || request.names[1]))
		result = usage_error(&command_start, "--foreground is for one container");
	else if (request.foreground)
		result = run_in_foreground(context, request.names[0]);
	else if (request.all)
		result = start_all(context, &request.options);
	else
		result = run_many(context, &request, lb_containers_start, "started", "running already:", NULL);
	free_names(request.names);
	return result;
}

static int run_stop(struct lb_context *context, int argc, char **argv)
{
	struct request request;
	int result;

	if (!read_request(context, &command_stop, argc, argv, &request, &result))
		return result;
	if (request.all)
		return stop_all(context, &request.options);
	result = run_many(context, &request, lb_containers_stop, request.options.kill ? "killed" : "stopped",
			  "not running:", NULL);
	free_names(request.names);
	return result;
}

/* Who could not be stopped, or is not there, keeps nobody else down. */
static int restart_named(struct lb_context *context, const struct request *request)
{
	const char *stop_word = request->options.kill ? "killed" : "stopped";
	struct request start = { .options = { .size = sizeof start.options, .jobs = request->options.jobs } };
	struct request stop = *request;
	int stopped, started = EXIT_OK;
	size_t count = 0;

	while (request->names[count])
		count++;
	start.names = calloc(count + 1, sizeof *start.names);
	if (!start.names) {
		fprintf(stderr, "layerbox: out of memory\n");
		return EXIT_FAILED;
	}
	stop.options.comes_back = true;
	stopped = run_many(context, &stop, lb_containers_stop, stop_word, "not running:", start.names);
	if (*start.names)
		started = run_many(context, &start, lb_containers_start, "started", "running already:", NULL);
	free(start.names);
	return stopped != EXIT_OK ? stopped : started;
}

static int run_restart(struct lb_context *context, int argc, char **argv)
{
	struct request request;
	int result;

	if (!read_request(context, &command_restart, argc, argv, &request, &result))
		return result;
	if (request.all)
		return restart_all(context, &request.options);
	result = restart_named(context, &request);
	free_names(request.names);
	return result;
}

/* What is done to one container; 0, 1 or a negative code. */
typedef int (*one_fn)(struct lb_context *context, const char *name, bool force);

/* Many are killed faster together than each before its delete. What fails here fails again there, and is told then. */
static void kill_first(struct lb_context *context, const struct request *request)
{
	const struct lb_run_options options = { .size = sizeof options, .kill = true };

	if (request->force && request->names[0] && request->names[1])
		lb_containers_stop(context, (const char *const *)(void *)request->names, &options, NULL, NULL);
}

/* For each name, one after the other, whatever becomes of those before. */
static int run_each(struct lb_context *context, const struct command *command, one_fn one, const char *done,
		    const char *already, int argc, char **argv)
{
	struct request request;
	int result;

	if (!read_request(context, command, argc, argv, &request, &result))
		return result;
	kill_first(context, &request);
	result = EXIT_OK;
	for (char **name = request.names; *name; name++) {
		int r = one(context, *name, request.force);

		if (r < 0)
			report_failure(context, r);
		else
			say("%s %s", r == 0 ? done : already, *name);
		if (result == EXIT_OK)
			result = exit_code(r);
	}
	free_names(request.names);
	return result;
}

static int with_container(struct lb_context *context, const char *name, int (*work)(struct lb_container *container))
{
	struct lb_container *container;
	int r = lb_container_open(context, name, &container);

	if (r < 0)
		return r;
	r = work(container);
	lb_container_free(container);
	return r;
}

static int freeze(struct lb_context *context, const char *name, bool force)
{
	(void)force;
	return with_container(context, name, lb_container_freeze);
}

static int thaw(struct lb_context *context, const char *name, bool force)
{
	(void)force;
	return with_container(context, name, lb_container_thaw);
}

static int run_freeze(struct lb_context *context, int argc, char **argv)
{
	return run_each(context, &command_freeze, freeze, "froze", "frozen already:", argc, argv);
}

static int run_thaw(struct lb_context *context, int argc, char **argv)
{
	return run_each(context, &command_thaw, thaw, "thawed", "not frozen:", argc, argv);
}

static int run_delete(struct lb_context *context, int argc, char **argv)
{
	return run_each(context, &command_delete, lb_container_delete, "deleted", "deleted", argc, argv);
}

const struct command command_start = {
	.name = "start",
	.arguments = "NAME... | --all [--timeout SECONDS] [--jobs N] [--at-boot] | NAME --foreground",
	.summary = "Start containers; several are started in parallel",
	.help = "  --all          every container with autostart=yes, as their keys boot.* ask for\n"
		"  --timeout S    when a start that hangs is given up (default 120)\n"
		"  --jobs N       how many at a time (default: twice the number of processors)\n"
		"  --at-boot      nothing is wrong where layerbox was never prepared: for systemd's units\n"
		"  --foreground   stay until the container has ended: for layerbox@NAME.service\n",
	.run = run_start,
};

const struct command command_stop = {
	.name = "stop",
	.arguments = "NAME... | --all [--timeout SECONDS] [--deadline SECONDS] [--kill] [--jobs N] [--at-shutdown] | "
		     "NAME [--of-unit]",
	.summary = "Shut containers down, and kill those that do not follow in time",
	.help = "  --all          every container that runs, those first that come after others\n"
		"  --timeout S    how long to wait for a clean shutdown (default 60)\n"
		"  --deadline S   when all that have not ended are killed; with --all, nobody waits for others shortly before\n"
		"  --kill         do not ask, kill\n"
		"  --jobs N       how many at a time (default: twice the number of processors; with --all, 64)\n"
		"  --at-shutdown  only while systemd takes the host down: for systemd's units\n"
		"  --of-unit      not where layerbox@NAME.service has ended by itself: for that unit\n",
	.run = run_stop,
};

const struct command command_restart = {
	.name = "restart",
	.arguments = "NAME... | --all [--timeout SECONDS] [--kill] [--jobs N]",
	.summary = "Stop containers and start them again",
	.help = "  Options as for `layerbox stop`. A container that is not running is started; with --all, those\n"
		"  that ran and those with autostart=yes.\n",
	.run = run_restart,
};

const struct command command_freeze = {
	.name = "freeze",
	.arguments = "NAME... | --all",
	.summary = "Halt all processes of containers where they are",
	.run = run_freeze,
};

const struct command command_thaw = {
	.name = "thaw",
	.arguments = "NAME... | --all",
	.summary = "Let frozen containers run on",
	.run = run_thaw,
};

const struct command command_delete = {
	.name = "delete",
	.arguments = "NAME... | --all [--force]",
	.summary = "Remove containers with all their files and give their addresses back",
	.help = "  --force        also those that run; they are killed first\n"
		"  --all          every container\n",
	.run = run_delete,
};
