/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watch-list - shows the containers of a root, and then every change of state or address, as an example of
 * liblayerbox(3).
 *
 *     watch-list [TIMES]
 *
 * Looks twice a second, TIMES times or until it is interrupted. A line for each container that is new, gone, or not
 * what it was. LAYERBOX_ROOT may name another root, as for layerbox(8).
 */
#include <layerbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void on_log(enum lb_log_level level, const char *message, void *userdata)
{
	(void)userdata;
	if (level <= LB_LOG_WARNING) /* such as a container whose record cannot be read */
		fprintf(stderr, "watch-list: %s\n", message);
}

static void print_container(const struct lb_container *container, const char *remark)
{
	printf("%-24s %-9s %-15s %s@%u%s\n", lb_container_get_name(container),
	       lb_state_name(lb_container_get_state(container)), lb_container_get_ipv4(container),
	       lb_container_get_base(container), lb_container_get_generation(container), remark);
}

static bool is_same(const struct lb_container *a, const struct lb_container *b)
{
	return lb_container_get_state(a) == lb_container_get_state(b) &&
	       strcmp(lb_container_get_ipv4(a), lb_container_get_ipv4(b)) == 0;
}

/* Both lists are in the order of names, so one walk over both finds what came, went and changed. */
static void print_changes(struct lb_container **before, struct lb_container **now)
{
	while (*before || *now) {
		int order = !*before ? 1
			    : !*now  ? -1
				     : strcmp(lb_container_get_name(*before), lb_container_get_name(*now));

		if (order < 0)
			print_container(*before, "  gone");
		else if (order > 0)
			print_container(*now, "");
		else if (!is_same(*before, *now))
			print_container(*now, "");
		before += order <= 0;
		now += order >= 0;
	}
	fflush(stdout);
}

static int watch(struct lb_context *context, long times)
{
	const struct timespec half_a_second = { .tv_nsec = 500000000 };
	struct lb_container *nothing[] = { NULL };
	struct lb_container **before = NULL, **now;

	for (long i = 0; times == 0 || i < times; i++) {
		int r = lb_container_list(context, &now, NULL);

		if (r < 0) {
			fprintf(stderr, "watch-list: %s\n", lb_context_error(context));
			lb_container_list_free(before);
			return EXIT_FAILURE;
		}
		print_changes(before ? before : nothing, now);
		lb_container_list_free(before);
		before = now;
		if (i + 1 != times)
			nanosleep(&half_a_second, NULL);
	}
	lb_container_list_free(before);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct lb_context_options options = { .size = sizeof options, .root = getenv("LAYERBOX_ROOT") };
	struct lb_context *context;
	int status;

	if (lb_context_new(&options, &context) < 0) {
		fprintf(stderr, "watch-list: %s\n", lb_context_error(context));
		status = EXIT_FAILURE;
	} else {
		lb_context_set_log(context, on_log, NULL);
		status = watch(context, argc > 1 ? strtol(argv[1], NULL, 10) : 0);
	}
	lb_context_free(context);
	return status;
}
