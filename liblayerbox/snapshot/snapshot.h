/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot as it lies on disk: containers/NAME/snapshots/LABEL. */
#pragma once

#include "../container/record.h"
#include "../core/chain.h"

#define LAYOUT_SNAPSHOTS "snapshots"
enum { LABEL_MAX = 63, LABEL_SIZE = LABEL_MAX + 1 };

struct snapshot_record {
	struct chain layers;
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation;
	int64_t created, expires;
	bool scheduled, live;
	uint64_t frozen_us;
	char name[NAME_LENGTH_MAX + 1]; /* of the container and its address, as its files have them */
	char ipv4[IPV4_TEXT_SIZE];
	char *comment;                /* never NULL in a record that was read */
};

struct lb_snapshot {
	struct lb_context *ctx;
	char container[NAME_LENGTH_MAX + 1];
	char label[LABEL_SIZE];
	char base_text[BASE_TEXT_SIZE];
	struct snapshot_record record;
};

/* Letters, digits, dots, dashes, underscores; 1 to 63 of them, the first a letter or digit. */
bool label_is_valid(const char *label);
int label_check(struct lb_context *ctx, const char *label);

/* What a snapshot of the container @name says that is made now; a comment is still to be set. */
struct snapshot_record snapshot_record_of(const char *name, const struct record *record);

/* Pure: the file's text and back. snapshot_record_to_text(): the caller's, NULL without memory. */
char *snapshot_record_to_text(const struct snapshot_record *record);
int snapshot_record_parse(struct lb_context *ctx, const char *text, const char *path,
			  struct snapshot_record *ret_record);
void snapshot_record_free(struct snapshot_record *record);

/* Reads that of a container whose directory is open. -LB_ERR_NO_SNAPSHOT with the labels there are. */
int snapshot_read(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		  struct snapshot_record *ret_record);

/* Writes it, durably; -LB_ERR_EXISTS where there is one and @replace is false. */
int snapshot_write(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		   const struct snapshot_record *record, bool replace);

/* Their labels, sorted; none where there is no such directory. */
int snapshot_list_labels(struct lb_context *ctx, int container_fd, const char *container, struct text_list *ret_labels);

/* For CLEANUP(). */
void snapshot_cleanup(struct lb_snapshot **snapshot);
