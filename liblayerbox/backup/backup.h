/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backups of containers: streams of snapshots, kept by restic. What they are called there, and here. */
#pragma once

#include "../container/record.h"

#define BACKUP_TAG "layerbox"                   /* all have it; and container=NAME, base=BASE@GENERATION */
#define BACKUP_TAG_CONTAINER "container="
#define BACKUP_TAG_BASE "base="
#define BACKUP_TAG_WITH_BASE "with-base"
#define BACKUP_FILE "%s.layerbox"               /* the file in restic's snapshot that is the stream of container %s */

enum { HOST_SIZE = 256 };

#define BACKUP_LABEL "backup"                   /* the snapshot that is being backed up, or was last, */
#define BACKUP_LABEL_NEW "backup-new"           /* and one that is being made */

/* A container's snapshot for a backup. */
struct backup_snapshot {
	char base[BASE_TEXT_SIZE];    /* BASE@GENERATION */
	int64_t created;
	char unfinished[ERROR_MAX];   /* a sentence, where backup.post failed; or "" */
};

/* Makes it, between backup.pre and backup.post where the container runs; the one of the last backup goes for it. */
int backup_snapshot_make(struct lb_context *ctx, const char *name, struct backup_snapshot *ret_snapshot);

/* The host's name, as it stands with its backups. */
int backup_host(struct lb_context *ctx, char ret_host[HOST_SIZE]);
