/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * live DIRECTORY [ENTRIES] - what the passes of a live copy cost: makes a tree of ENTRIES (20000) in the empty
 * DIRECTORY, copies it, changes one entry in a hundred, and times the last pass, for which a container is frozen; five
 * times over. Compare figures of one run only: a syncfs(2) waits for everybody's pages.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../../liblayerbox/snapshot/layer.h"
#include "../../liblayerbox/snapshot/live-copy.h"
#include "../../liblayerbox/util/file.h"
#include "../../liblayerbox/util/tree.h"

enum { IN_DIRECTORY = 20, FILE_BYTES = 6000, ROUNDS = 5 };

static struct lb_context *context;

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "live: %s: %s\n", what, context ? lb_context_error(context) : strerrordesc_np(-r));
	exit(EXIT_FAILURE);
}

static double ms_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double now_ms(void)
{
	return ms_of(CLOCK_MONOTONIC);
}

static void write_entry(unsigned number, char content)
{
	static char data[FILE_BYTES];
	char path[64];
	int fd;

	snprintf(path, sizeof path, "source/%u/%u", number / IN_DIRECTORY, number);
	memset(data, content, sizeof data);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	check(fd < 0 ? -errno : fd_write_all(fd, data, sizeof data), path);
	close_fd(fd);
}

static void make_tree(unsigned entries)
{
	char path[64];

	check(mkdir("source", 0755) < 0 ? -errno : 0, "source");
	for (unsigned i = 0; i < entries; i++) {
		snprintf(path, sizeof path, "source/%u", i / IN_DIRECTORY);
		if (i % IN_DIRECTORY == 0)
			check(mkdir(path, 0755) < 0 ? -errno : 0, path);
		write_entry(i, 'a');
	}
}

static double pass(struct live_copy *copy, bool last)
{
	double begun = now_ms();

	check(live_copy_pass(copy, last), "pass");
	return now_ms() - begun;
}

static void copy_once(unsigned entries, unsigned round)
{
	CLEANUP_LIVE_COPY struct live_copy *copy = NULL;
	CLEANUP_FREE char *layer = text_format("layer-%u", round);
	CLEANUP_FREE char *previous = text_format("layer-%u", round - 1);
	CLEANUP_FREE char *tree = text_format("%s/" LAYER_TREE, layer);
	CLEANUP_FD int source = open("source", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int before = open(previous, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int fd = -1;
	CLEANUP_FD int target = -1;
	struct live_copy_counts counts;
	double first, second, last, finish, used;

	check(mkdir(layer, 0755) < 0 || mkdir(tree, 0755) < 0 ? -errno : 0, layer);
	fd = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(live_copy_begin(context, "c", source, target, before, &copy), "begin");
	first = pass(copy, false);
	second = pass(copy, false);
	for (unsigned i = 0; i < entries; i += 100)
		write_entry(i, (char)('a' + round));
	used = ms_of(CLOCK_PROCESS_CPUTIME_ID);
	last = pass(copy, true);
	used = ms_of(CLOCK_PROCESS_CPUTIME_ID) - used;
	finish = now_ms();
	check(live_copy_finish(copy, fd), "finish");
	finish = now_ms() - finish;
	live_copy_get_counts(copy, &counts);
	printf("first pass %.1f ms, second %.1f ms, last %.1f ms (%.1f of processors, %lu entries, %lu bytes), finish "
	       "%.1f ms; copied %lu, "
	       "linked %lu of %lu\n",
	       first, second, last, used, counts.last_pass, counts.last_pass_bytes, finish, counts.copied,
	       counts.linked, counts.entries);
}

int main(int argc, char **argv)
{
	unsigned entries = argc > 2 ? (unsigned)atoi(argv[2]) : 20000;

	if (argc < 2 || chdir(argv[1]) < 0) {
		fprintf(stderr, "live: say an empty directory\n");
		return 2;
	}
	check(lb_context_new(NULL, &context), "context");
	make_tree(entries);
	for (unsigned round = 1; round <= ROUNDS; round++)
		copy_once(entries, round);
	check(tree_remove(AT_FDCWD, "source"), "source");
	for (unsigned round = 1; round <= ROUNDS; round++) {
		CLEANUP_FREE char *layer = text_format("layer-%u", round);

		check(tree_remove(AT_FDCWD, layer), layer);
	}
	lb_context_free(context);
	return EXIT_SUCCESS;
}
