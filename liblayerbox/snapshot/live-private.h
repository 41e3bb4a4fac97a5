/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of a live copy share. The tree of the top layer is kept in memory: of each entry its state, and of
 * each directory the names in it. A pass is work for several threads, cut into tasks; of a directory's entries each
 * belongs to one task, so nodes need no locks. Files with several names are gathered and done behind all others.
 */
#pragma once

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "../util/cleanup.h"
#include "live-copy.h"
#include "live-states.h"

enum {
	LIVE_THREADS_MAX = 8,
	/*
	 * A file is hot that was changed so long before a pass: the clock of inodes goes in ticks, a write(2) that
	 * began earlier may still be at it, and so a clock that is set back by less does no harm either.
	 */
	LIVE_HOT_MARGIN_NS = 100000000,
	/*
	 * So long before that where somebody has it open for writing: a direct write sets the ctime when it begins, and
	 * its data comes when the disk has it. As long as the kernel waits for most disks before it gives a request up.
	 */
	LIVE_WRITE_S = 30,
};

struct live_directory {
	struct live_node **children;  /* sorted by name */
	size_t count, capacity;
	uint32_t previous;            /* its index in the previous layer's states, or LIVE_NONE */
	bool listed;                  /* @children are those of its node's state */
	struct timespec atime;
	char *xattrs;                 /* NAME NUL, length, value; ... */
	size_t xattrs_length;
	struct live_directory *next;  /* of all */
};

struct live_node {
	struct live_node *parent;
	struct live_directory *directory; /* NULL: it is none */
	struct live_state state;      /* as of before it was copied; state.again: whatever it says, copy once more */
	bool made;                    /* the target may have something of that name */
	bool gone;                    /* it is in no list of names any more */
	bool several;                 /* its inode had several names once */
	char name[];
};

enum live_task_kind { LIVE_DIRECTORY, LIVE_CHILDREN, LIVE_LINKS, LIVE_FINISH };

struct live_task {
	enum live_task_kind kind;
	struct live_node *node;
	size_t first, count;          /* of its children, or of the links */
};

struct live_queue {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct live_task *tasks;
	size_t count, capacity;
	unsigned working;
	bool stop;                    /* there was a failure */
};

/* A name of a file that has several. */
struct live_link {
	uint64_t inode, names;        /* so many names it has */
	struct live_node *node;
	struct live_node *base;       /* a name that a copy of this inode had before the pass; may be NULL */
};

struct live_links {
	struct live_link *items;
	size_t count, capacity;
};

struct live_copy {
	struct lb_context *ctx;
	char container[NAME_MAX + 1];
	int source_fd, target_fd, previous_fd;
	int aside_fd;                 /* in the target, for what is only removed when the container runs again */
	char aside_name[40];
	atomic_ullong aside_count;
	dev_t device;
	struct live_states *previous; /* NULL: none */
	struct live_node *root;
	struct live_directory *directories;
	char *memory;                 /* where nodes are cut from, and what is left of it */
	size_t memory_left;
	void *memories;               /* all, each pointing to the next */
	atomic_size_t xattrs_length;  /* of all directories */
	bool last;
	int64_t hot_margin_ns;        /* LIVE_HOT_MARGIN_NS; tests wish for another */
	struct timespec hot_since;
	struct live_queue queue;
	pthread_mutex_t mutex;        /* for what follows, and what nodes are made of */
	struct live_links links;      /* to be made behind all others */
	struct live_links inodes;     /* hash table of the names that copies of inodes with several had last */
	int failure;                  /* the first one: a negative errno, what could not be done, and where */
	const char *failed_what;
	char *failed_path;
	struct live_copy_counts counts;
};

/* What one thread needs. */
struct live_worker {
	struct live_copy *copy;
	char path[PATH_MAX];
	struct live_copy_counts counts;
};

/* An open directory, in all the trees: those that are needed. */
struct live_place {
	struct live_node *node;
	int source_fd, target_fd, previous_fd;
	bool no_previous;
};

#define LIVE_PLACE_EMPTY { .source_fd = -1, .target_fd = -1, .previous_fd = -1 }

/* ---- live-tree.c ---- */

struct live_node *live_node_new(struct live_copy *copy, struct live_node *parent, const char *name);
struct live_directory *live_directory_new(struct live_copy *copy);

/* Its path within the tree; false where that is longer than any program could open. */
bool live_node_path(const struct live_node *node, char path[PATH_MAX]);

/* It and all above it are in the tree still. */
bool live_node_is_there(const struct live_node *node);

void live_tree_free(struct live_copy *copy);

/* ---- live-queue.c: threads ---- */

int live_queue_push(struct live_copy *copy, const struct live_task *task);

/* Does the tasks in it, and those that come of them; negative where a thread has noted a failure. */
int live_queue_run(struct live_copy *copy);

/* ---- live-pass.c ---- */

/* Does one task. */
int live_pass_task(struct live_worker *worker, const struct live_task *task);

/* Notes that there was a failure, unless there was one before. Returns @error, negative. */
int live_fail(struct live_worker *worker, int error, const char *what, const struct live_node *node);

/* Does such an error come of others changing the tree? Then the next pass looks again. */
bool live_is_race(const struct live_copy *copy, int error);

/* ---- live-entry.c: single entries of the target ---- */

int live_place_open(struct live_worker *worker, struct live_node *node, int flags, struct live_place *ret_place);
int live_place_open_target(struct live_worker *worker, struct live_place *place);
void live_place_close(struct live_place *place);
#define CLEANUP_LIVE_PLACE CLEANUP(live_place_close)

/* Takes away what the target has of that name. */
int live_entry_remove(struct live_worker *worker, struct live_place *place, struct live_node *node);

/* Makes it anew; no directory. @st: as it is found. @link: the previous layer's may be taken. */
int live_entry_make(struct live_worker *worker, struct live_place *place, struct live_node *node, const struct stat *st,
		    bool link);

int live_entry_make_directory(struct live_worker *worker, struct live_place *place, struct live_node *node);


/* ---- live-hot.c ---- */

/* May it have been written to after @st was taken, without a change of its state? */
bool live_is_hot(const struct live_copy *copy, const struct stat *st);

/*
 * The same of an entry that is no directory and is about to be copied: asked before, for who has closed it by then has
 * written all.
 */
bool live_file_is_hot(const struct live_copy *copy, int dir_fd, const char *name, const struct stat *st);

/* ---- live-links.c ---- */

int live_links_add(struct live_worker *worker, struct live_node *node, const struct stat *st);

/* Makes them all, by tasks. */
int live_links_run(struct live_copy *copy);

/* Such a task. */
int live_links_make(struct live_worker *worker, size_t first, size_t count);

/* ---- live-directory.c: attributes of directories ---- */

/* Notes those of an open directory. */
int live_directory_read(struct live_worker *worker, struct live_node *node, int fd, const struct stat *st);

/* Gives them to the target's. */
int live_directory_finish(struct live_worker *worker, struct live_node *node);
