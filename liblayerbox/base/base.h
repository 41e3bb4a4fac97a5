/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A base as it lies on disk: what its newest, or one named, generation says of itself. */
#pragma once

#include "../core/context.h"
#include "../core/name.h"

struct lb_base {
	struct lb_context *ctx;
	char name[NAME_LENGTH_MAX + 1];
	unsigned generation;
	char *directory;              /* ROOT/os-bases/NAME/GENERATION/rootfs */
	struct generation_record {    /* generation.conf */
		char *recipe;
		char *os;
		char *halt_signal;    /* what makes its init power off, for lxc.signal.halt */
		char *reboot_signal;
		char *parent;         /* of a stack: what it was built on, NAME@GENERATION; else "" */
		int64_t created;
		uint64_t bytes;
	} record;
	uint64_t own_bytes;           /* what no other generation shares; bytes where nobody has looked */
	struct text_list users;       /* filled by lb_base_open() and lb_base_list(), not by base_open() */
};

/*
 * Opens NAME or NAME@GENERATION without looking for its users. -LB_ERR_NO_BASE names the bases there are,
 * or says how to build one.
 */
int base_open(struct lb_context *ctx, const char *text, struct lb_base **ret_base);

/*
 * Opens the tree of a generation, for reading: a descriptor, or -LB_ERR_NO_BASE where it is gone. Where one of it is
 * not held otherwise (base_hold()), only for who has a record that uses it.
 */
int base_open_tree(struct lb_context *ctx, const char *name, unsigned generation);

/*
 * Opens the directories of a base and of its generation, the first with a shared flock(2), which keeps lb_base_gc() and
 * lb_base_delete() from taking them away while the tree is read. -LB_ERR_NO_BASE where that has happened.
 */
int base_hold(const struct lb_base *base, int *ret_base_fd, int *ret_generation_fd);

/* The names of all bases, sorted. */
int base_list_names(struct lb_context *ctx, struct text_list *ret_names);
