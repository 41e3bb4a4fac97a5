/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manifest-hash.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "../util/thread.h"
#include "../util/tree.h"

/* Below so many bytes, a thread costs more than it brings. */
enum { THREADS_MAX = 8, BYTES_WORTH_THREADS = 4 << 20 };

struct work {
	int tree_fd;
	struct manifest_entry **files; /* sorted by inode */
	size_t count;
	atomic_size_t next;
	atomic_int failure;           /* the first one's negative errno */
	_Atomic(const char *) failed_path;
};

static int hash_file(int tree_fd, struct manifest_entry *entry)
{
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (entry->size == 0) {
		digest_sha256("", 0, entry->sha256);
		return 0;
	}
	fd = tree_open_beneath(tree_fd, entry->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOATIME);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_ino == entry->inode && S_ISREG(st.st_mode) ? digest_sha256_fd(fd, entry->sha256) : -ESTALE;
}

/* All names of one inode, which stand side by side. */
static int hash_names(struct work *work, size_t first)
{
	struct manifest_entry *entry = work->files[first];
	int r;

	if (first > 0 && work->files[first - 1]->inode == entry->inode)
		return 0; /* whoever has the first name does all */
	r = hash_file(work->tree_fd, entry);
	for (size_t i = first + 1; i < work->count && work->files[i]->inode == entry->inode; i++)
		memcpy(work->files[i]->sha256, entry->sha256, sizeof entry->sha256);
	return r;
}

static void *run(void *data)
{
	struct work *work = data;

	while (atomic_load(&work->failure) == 0) {
		size_t i = atomic_fetch_add(&work->next, 1);
		int none = 0, r;

		if (i >= work->count)
			break;
		r = hash_names(work, i);
		if (r < 0 && atomic_compare_exchange_strong(&work->failure, &none, r))
			atomic_store(&work->failed_path, work->files[i]->path);
	}
	return NULL;
}

/* Two at least: one reads while another one waits for the disk. */
static unsigned count_threads(uint64_t bytes)
{
	cpu_set_t set;
	int count;

	if (bytes < BYTES_WORTH_THREADS)
		return 1;
	count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 2;
	return count < 2 ? 2 : count > THREADS_MAX ? THREADS_MAX : (unsigned)count;
}

/* The caller's thread is one of them: it works without any other, too. */
static void run_threads(struct work *work, unsigned count)
{
	pthread_t threads[THREADS_MAX];
	unsigned running = 0;

	while (running + 1 < count && thread_begin(&threads[running], NULL, run, work) == 0)
		running++;
	run(work);
	while (running > 0)
		pthread_join(threads[--running], NULL);
}

static int compare_inodes(const void *a, const void *b)
{
	uint64_t x = (*(struct manifest_entry *const *)a)->inode, y = (*(struct manifest_entry *const *)b)->inode;

	return x < y ? -1 : x > y;
}

int manifest_hash(int tree_fd, struct manifest *manifest, char **ret_path)
{
	CLEANUP_FREE struct manifest_entry **files = calloc(manifest->count + 1, sizeof *files);
	struct work work = { .tree_fd = tree_fd, .files = files };
	uint64_t bytes = 0;

	if (!files)
		return -ENOMEM;
	for (size_t i = 0; i < manifest->count; i++) {
		struct manifest_entry *entry = &manifest->entries[i];

		if (entry->type != 'f' || entry->linked)
			continue;
		files[work.count++] = entry;
		bytes += entry->size;
	}
	qsort(files, work.count, sizeof *files, compare_inodes);
	run_threads(&work, count_threads(bytes));
	if (work.failure < 0 && work.failed_path)
		*ret_path = strdup(work.failed_path);
	return work.failure;
}
