/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* snapshot-time CONTAINER LABEL create|restore - what the library's part of it takes, in microseconds. */
#include <layerbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct lb_context_options where = { .size = sizeof where, .root = getenv("LAYERBOX_ROOT") };
	struct lb_snapshot_options options = { .size = sizeof options };
	struct lb_context *context;
	long long began;
	int r;

	if (argc != 4 || lb_context_new(&where, &context) < 0)
		return 2;
	options.label = argv[2];
	began = now_us();
	if (strcmp(argv[3], "restore") == 0)
		r = lb_snapshot_restore(context, argv[1], argv[2], NULL);
	else
		r = lb_snapshot_create(context, argv[1], &options, NULL);
	printf("%lld\n", now_us() - began);
	if (r < 0)
		fprintf(stderr, "%s\n", lb_context_error(context));
	lb_context_free(context);
	return r < 0;
}
