/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * restic(1), which keeps backups: run with the repository and the secrets that layerbox.conf(5) names, its words and exit
 * codes understood: of Debian 12's, which ends with 1 whatever has happened, and of newer ones (10: no repository, 11:
 * locked, 12: wrong password).
 */
#pragma once

#include "../core/context.h"

/* How it is run on this host. */
struct restic {
	struct text_list env;         /* its whole environment */
};

#define CLEANUP_RESTIC CLEANUP(restic_close)

/*
 * Looks for the program, and at the files with secrets, which nobody but root may be able to read. -LB_ERR_NO_PROGRAM,
 * -LB_ERR_NO_REPOSITORY where layerbox.conf names none, -LB_ERR_BAD_CONFIG for the files.
 */
int restic_open(struct lb_context *ctx, struct restic *ret_restic);
void restic_close(struct restic *restic);

/*
 * Runs it with @arguments, to its end; on_line (may be NULL) receives what it prints. -LB_ERR_NO_REPOSITORY where the
 * repository is missing, out of reach or locked, or the password wrong; -ENOSPC; else -LB_ERR_PROGRAM_FAILED.
 */
int restic_run(struct lb_context *ctx, const struct restic *restic, const char *const *arguments,
	       void (*on_line)(const char *line, void *userdata), void *userdata);

/* Writes to @fd, or reads from it until its end; 0, or a negative code with its sentence. */
typedef int (*restic_pump_fn)(int fd, void *userdata);

/*
 * The same with what @write writes as standard input. Where @write fails, or the caller's process ends in any way, restic is
 * killed: it never sees the end of a stream that is not whole, so it records nothing.
 */
int restic_save(struct lb_context *ctx, const struct restic *restic, const char *const *arguments, restic_pump_fn write,
		void *userdata);

/* The same with its standard output for @read. Of two failures the one that came first is told. */
int restic_load(struct lb_context *ctx, const struct restic *restic, const char *const *arguments, restic_pump_fn read,
		void *userdata);

/* One thing in the repository. */
struct restic_snapshot {
	const char *id;               /* as restic shows it: 8 hexadecimal digits */
	const char *full_id;
	const char *host;
	int64_t time;                 /* seconds since the epoch */
	struct text_list tags;
};

/* Receives one, valid during the call only; a negative result ends the list. */
typedef int (*restic_snapshot_fn)(const struct restic_snapshot *snapshot, void *userdata);

/* All that have every one of @tags, "tag,tag", oldest first. */
int restic_list(struct lb_context *ctx, const struct restic *restic, const char *tags, restic_snapshot_fn fn,
		void *userdata);

/* The value behind the tag that begins with @prefix ("container="), or NULL. */
const char *restic_tag_value(const struct restic_snapshot *snapshot, const char *prefix);

/* ---- between the adapter's own files ---- */

/* What an ended restic has said, as one sentence with its code: see restic_run(). @output is changed. */
int restic_failed(struct lb_context *ctx, int status, char *output);

/* The same where it could not be run: a negative errno. */
int restic_not_run(struct lb_context *ctx, int error);

/* "restic" and @arguments behind it; -ENOMEM. */
int restic_arguments(const char *const *arguments, struct text_list *ret_words);
