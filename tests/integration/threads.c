/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * threads COUNT ROUNDS - COUNT threads, each with a context and a container of its own, which it makes, starts,
 * asks, stops and deletes ROUNDS times; all of them list meanwhile. Exit code 0 when every call did what it says.
 */
#include <layerbox.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 32 };

struct worker {
	pthread_t thread;
	unsigned number, rounds;
	int output_fd;                /* where what runs in the container writes to */
	int failures;
};

static int check(struct worker *worker, struct lb_context *context, const char *what, int result, int expected)
{
	if (result == expected)
		return 0;
	fprintf(stderr, "thread %u: %s returned %s (%d) instead of %d: %s\n", worker->number, what,
		lb_error_name(result), result, expected, context ? lb_context_error(context) : "");
	worker->failures++;
	return -1;
}

/* The container writes its hostname into a file of this thread's: does it say what it should? */
static void exec_hostname(struct worker *worker, struct lb_context *context, struct lb_container *container)
{
	const char *name = lb_container_get_name(container);
	struct lb_exec_options options = { .size = sizeof options, .use_fds = true, .stdin_fd = STDIN_FILENO,
					   .stdout_fd = worker->output_fd, .stderr_fd = STDERR_FILENO };
	char said[128] = "";
	int status = -1;

	if (ftruncate(worker->output_fd, 0) < 0 || lseek(worker->output_fd, 0, SEEK_SET) < 0)
		worker->failures++;
	check(worker, context, "exec",
	      lb_container_exec(container, (const char *const[]){ "hostname", NULL }, &options, &status), 0);
	check(worker, context, "the program", status, 0);
	if (pread(worker->output_fd, said, sizeof said - 1, 0) < 0)
		worker->failures++;
	said[strcspn(said, "\n")] = '\0';
	check(worker, context, "the hostname's comparison", strcmp(said, name), 0);
	check(worker, context, "exec of false",
	      lb_container_exec(container, (const char *const[]){ "false", NULL }, &options, &status), 0);
	check(worker, context, "false", status, 1);
}

static void live(struct worker *worker, struct lb_context *context, const char *name)
{
	const struct lb_run_options kill = { .size = sizeof kill, .kill = true };
	struct lb_container *container, **all;
	size_t count = 0;

	if (check(worker, context, "create", lb_container_create(context, name, NULL, &container), 0) < 0)
		return;
	check(worker, context, "create again", lb_container_create(context, name, NULL, NULL), -LB_ERR_EXISTS);
	check(worker, context, "start", lb_container_start(container, NULL), 0);
	check(worker, context, "start again", lb_container_start(container, NULL), 1);
	check(worker, context, "refresh", lb_container_refresh(container), 0);
	check(worker, context, "state", (int)lb_container_get_state(container), LB_STATE_RUNNING);
	exec_hostname(worker, context, container);
	if (check(worker, context, "list", lb_container_list(context, &all, &count), 0) == 0)
		lb_container_list_free(all);
	check(worker, context, "delete", lb_container_delete(context, name, false), -LB_ERR_RUNNING);
	check(worker, context, "freeze", lb_container_freeze(container), 0);
	check(worker, context, "thaw", lb_container_thaw(container), 0);
	check(worker, context, "stop", lb_container_stop(container, worker->number % 2 ? &kill : NULL), 0);
	check(worker, context, "stop again", lb_container_stop(container, NULL), 1);
	check(worker, context, "delete", lb_container_delete(context, name, false), 0);
	lb_container_free(container);
}

static void *work(void *userdata)
{
	struct worker *worker = userdata;
	const struct lb_context_options options = { .size = sizeof options, .root = getenv("LAYERBOX_ROOT") };
	struct lb_context *context;
	char name[32];

	snprintf(name, sizeof name, "thread-%u", worker->number);
	if (check(worker, NULL, "context", lb_context_new(&options, &context), 0) == 0)
		for (unsigned i = 0; i < worker->rounds && !worker->failures; i++)
			live(worker, context, name);
	lb_context_free(context);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	int failures = 0;

	if (argc != 3 || count < 1 || count > THREADS_MAX) {
		fprintf(stderr, "usage: threads COUNT ROUNDS\n");
		return 2;
	}
	for (unsigned i = 0; i < count; i++) {
		FILE *output = tmpfile();

		workers[i] = (struct worker){ .number = i, .rounds = (unsigned)atoi(argv[2]) };
		if (!output)
			return 1;
		workers[i].output_fd = fileno(output);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			return 1;
	}
	for (unsigned i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		failures += workers[i].failures;
	}
	return failures ? 1 : 0;
}
