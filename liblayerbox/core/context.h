/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context: where the root is, how the host is configured, and where words go. */
#pragma once

#include "../layerbox.h"
#include "../util/text.h"

enum { ERROR_MAX = 2048 };

/* How the host itself knows its containers by name. */
enum host_names {
	HOST_NAMES_NONE,
	HOST_NAMES_FILE,        /* `hosts`: lines in /etc/hosts */
	HOST_NAMES_RESOLVED,    /* systemd-resolved asks the bridge's name server */
};

/* What layerbox.conf(5) says. Every member is set, from the file or the defaults. */
struct config {
	char *root;
	char *base;             /* for containers that are created without --base */
	char *bridge;
	char *subnet;           /* IPv4 in CIDR form */
	char *domain;           /* DNS domain of the containers */
	char *mirror;           /* of Debian packages; "" leaves it to the bootstrap program */
	uint32_t id_start;      /* first host id that may be handed out */
	enum host_names host_names;
	char *ssh;              /* the program that reaches other hosts, and its options */
	uint32_t quarantine_seconds; /* how long the address of a deleted container rests; 0: not at all */
	char *snapshot_schedule; /* when snapshots are made of containers that have no schedule of their own; "": never */
	char *snapshot_keep;    /* how many of these are kept, likewise; "": all */
	char *backup_repository; /* of restic, as its -r takes it; "": there is none */
	char *backup_password_file; /* "": what the environment file says counts */
	char *backup_environment_file; /* NAME=VALUE lines for restic, or "" */
	char *backup_keep;      /* how many backups of each container are kept; "": all */
	char *alert_command;    /* is run when somebody has to look, see care/alert.h; "": nothing */
	char *alert_mail;       /* and who gets mail then; "": nobody */
	unsigned alert_disk_percent; /* from when on the disk is nearly full */
	char *restart_policy;   /* of containers without one of their own: "no", "on-failure" or "always" */
};

struct lb_context {
	struct config config;
	char *config_file;
	char error[ERROR_MAX];
	lb_log_fn log;
	void *log_data;
	lb_progress_fn progress;
	void *progress_data;
	const char *moves;      /* the container that a move in this context is at, which alone may change it; or NULL */
	int root_fd;            /* O_PATH on the root once store_open() has succeeded, else -1 */
	int nft_fd;             /* connection to nftables in the kernel, kept by its adapter, else -1 */
};

/*
 * The one idiom for failures: makes the sentence and returns @code, negated from enum lb_error or errno.
 *     return fail(ctx, -LB_ERR_RUNNING, "container '%s' is running; stop it first", name);
 * fail_errno() adds what the errno means. Set once, where the cause is known; the callers only pass it on.
 */
int fail(struct lb_context *ctx, int code, const char *format, ...) PRINTF_LIKE(3, 4);
int fail_errno(struct lb_context *ctx, int error, const char *format, ...) PRINTF_LIKE(3, 4);
int fail_memory(struct lb_context *ctx);

/* The one sentence for a container that is not there: -LB_ERR_NO_CONTAINER. */
int fail_no_container(struct lb_context *ctx, const char *name);

/* Puts words before the sentence that is there: "cannot create container 'a': ". Returns @code. */
int fail_wrap(struct lb_context *ctx, int code, const char *format, ...) PRINTF_LIKE(3, 4);

void log_message(struct lb_context *ctx, enum lb_log_level level, const char *format, ...) PRINTF_LIKE(3, 4);
void progress(struct lb_context *ctx, int percent, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * A context for another thread, with the same configuration and without anywhere for words to go; lb_context_free() it.
 * NULL without memory.
 */
struct lb_context *context_copy(const struct lb_context *ctx);

/* Checks a struct given in by its `size` member against the first published and the present one. */
int check_input_struct(struct lb_context *ctx, const void *input, size_t size, size_t known, const char *what);

#define CHECK_INPUT(ctx, input, type) \
	check_input_struct((ctx), (input), (input) ? (input)->size : 0, sizeof(struct type), "struct " #type)
