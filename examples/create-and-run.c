/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * create-and-run - a container's whole life in one program, as an example of liblayerbox(3).
 *
 *     create-and-run BASE COMMAND [ARGUMENT...]
 *
 * Makes a container on BASE, starts it, runs COMMAND in it, prints what the command printed, and removes the
 * container again. The exit status is the command's. Needs root, a prepared root (`layerbox init`) and the
 * network (`layerbox net up`). LAYERBOX_ROOT may name another root, as for layerbox(8).
 */
#include <layerbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What the library has to say beside its results: here, all but the details goes to standard error. */
static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	const char *program = userdata;

	if (level < LB_LOG_DEBUG)
		fprintf(stderr, "%s: %s\n", program, message);
}

/* Tells a failure by the library's own sentence and its short name; returns an exit status. */
static int tell(struct lb_context *context, int result)
{
	fprintf(stderr, "create-and-run: %s (%s)\n", lb_context_error(context), lb_error_name(result));
	return EXIT_FAILURE;
}

/* Copies what comes out of a pipe to standard output until the other end is closed. */
static void print_all(FILE *pipe)
{
	char line[512];

	while (fgets(line, sizeof line, pipe))
		printf("container: %s", line);
}

/*
 * Runs the command with its output going into a file of ours. A pipe would do as well, but since the call waits for
 * the command, a pipe that nobody reads would fill up; who wants to read along does so in a thread of its own.
 */
static int run(struct lb_container *container, const char *const *command, int *ret_status)
{
	struct lb_exec_options options = { .size = sizeof options, .use_fds = true };
	FILE *output = tmpfile();
	int r;

	if (!output)
		return -1;
	options.stdin_fd = STDIN_FILENO;
	options.stdout_fd = fileno(output);
	options.stderr_fd = STDERR_FILENO;
	r = lb_container_exec(container, command, &options, ret_status);
	if (r == 0) {
		rewind(output);
		print_all(output);
	}
	fclose(output);
	return r;
}

static int live(struct lb_context *context, struct lb_container *container, const char *const *command)
{
	struct lb_run_options stop = { .size = sizeof stop, .timeout_s = 10 };
	int status = EXIT_FAILURE;
	int r = lb_container_start(container, NULL);

	if (r >= 0)
		r = run(container, command, &status);
	if (r >= 0)
		r = lb_container_stop(container, &stop);
	return r < 0 ? tell(context, r) : status;
}

/* From its birth to its end; whatever happens in between, the container is deleted. */
static int create_and_run(struct lb_context *context, const char *base, const char *const *command)
{
	struct lb_create_options options = { .size = sizeof options, .base = base, .description = "an example" };
	struct lb_container *container;
	char name[32];
	int r, status;

	snprintf(name, sizeof name, "example-%d", (int)getpid());
	r = lb_container_create(context, name, &options, &container);
	if (r < 0)
		return tell(context, r);
	printf("%s has the address %s\n", lb_container_get_name(container), lb_container_get_ipv4(container));
	status = live(context, container, command);
	r = lb_container_delete(context, name, true);
	if (r < 0)
		status = tell(context, r);
	lb_container_free(container);
	return status;
}

int main(int argc, char **argv)
{
	struct lb_context_options options = { .size = sizeof options, .root = getenv("LAYERBOX_ROOT") };
	struct lb_context *context;
	int r, status;

	if (argc < 3) {
		fprintf(stderr, "usage: create-and-run BASE COMMAND [ARGUMENT...]\n");
		return 2;
	}
	r = lb_context_new(&options, &context);
	if (r < 0) {
		status = tell(context, r);
	} else {
		lb_context_set_log(context, on_log, argv[0]);
		status = create_and_run(context, argv[1], (const char *const *)argv + 2);
	}
	lb_context_free(context);
	return status;
}
