/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* follow NAME - follows a container's log, for logs.bats, until its input ends: 0 where that ended it, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../liblayerbox/layerbox.h"

static void on_line(const char *name, const char *line, void *userdata)
{
	(void)name;
	(void)userdata;
	puts(line);
}

int main(int argc, char **argv)
{
	struct lb_logs_options options = { .size = sizeof options, .follow = true };
	const struct lb_context_options context_options = { .size = sizeof context_options,
							    .root = getenv("LAYERBOX_ROOT") };
	struct lb_context *context = NULL;
	int r;

	options.stop_fd = dup(STDIN_FILENO); /* 0 is none */
	if (argc != 2 || options.stop_fd < 0 || lb_context_new(&context_options, &context) < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = lb_logs(context, (const char *const[]){ argv[1], NULL }, &options, on_line, NULL);
	if (r < 0)
		printf("failed %s\n", lb_context_error(context));
	lb_context_free(context);
	close(options.stop_fd);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
