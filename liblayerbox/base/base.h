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
		int64_t created;
		uint64_t bytes;
	} record;
	struct text_list users;       /* filled by lb_base_open() and lb_base_list(), not by base_open() */
};

/*
 * Opens NAME or NAME@GENERATION without looking for its users. -LB_ERR_NO_BASE names the bases there are,
 * or says how to build one.
 */
int base_open(struct lb_context *ctx, const char *text, struct lb_base **ret_base);
