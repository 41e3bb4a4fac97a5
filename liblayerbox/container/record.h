/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ROOT/containers/NAME/container.conf: what layerbox knows of a container, and the only place where it is
 * written. The name is the directory's name. LXC's config, the DHCP reservation and the lists of bases'
 * users are made from it and can be made again.
 */
#pragma once

#include "../base/base.h"
#include "../core/chain.h"
#include "../core/name.h"
#include "../network/address.h"
#include "../network/egress.h"
#include "../network/forward.h"
#include "bind.h"

#define RECORD_FILE "container.conf"

enum { BASE_TEXT_SIZE = NAME_LENGTH_MAX + 16 }; /* for NAME@GENERATION */

struct limits {
	uint64_t memory_bytes;        /* 0: none */
	uint64_t cpu_millis;          /* thousandths of a core; 0: none */
	uint64_t pids;                /* 0: none */
};

enum isolation {
	ISOLATION_OF_NETWORK,         /* as the network it is on */
	ISOLATION_NO,
	ISOLATION_YES,
};

/* What is decided for a container's link to its network. */
struct uplink {
	uint64_t ingress_bps;         /* bits per second to the container; 0: no bound */
	uint64_t egress_bps;          /* and from it */
	enum isolation isolation;
};

/* How far a container is before others begin that come after it. */
enum boot_wait {
	BOOT_WAIT_DEFAULT,            /* as running */
	BOOT_WAIT_RUNNING,            /* its init runs */
	BOOT_WAIT_NETWORK,            /* it has its address */
	BOOT_WAIT_SYSTEM,             /* its init says that it has booted */
	BOOT_WAIT_CHECK,              /* its health check says that it is well */
};

/* When it is started among all; docs/care.md. */
struct boot {
	uint64_t priority;            /* higher ones first; 0: none */
	char *after;                  /* names with spaces between them; NULL or "": none */
	uint64_t delay_s;
	unsigned wait;                /* enum boot_wait */
	uint64_t timeout_s;           /* for what it waits for; 0: the default */
};

/* How it is seen whether it is well; texts as health/target.h reads them, NULL or "": none; 0: the default. */
struct health_settings {
	char *command, *http, *tcp;
	uint64_t interval_s, timeout_s, retries, start_period_s;
};

/* When the supervisor starts it again. */
enum restart_policy {
	RESTART_DEFAULT,              /* as layerbox.conf says */
	RESTART_NO,
	RESTART_ON_FAILURE,           /* its init ended by a signal or with a failure, or it is unhealthy */
	RESTART_ALWAYS,               /* whenever it was not layerbox that stopped it */
};

struct record {
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation;
	bool privileged;
	bool autostart;
	uint32_t id_start, id_count;  /* both 0 when privileged */
	struct network_identity identity;
	struct limits limits;
	struct forward_list forwards; /* ports of the host that lead to it */
	struct egress_list egress;    /* where its connections may go to */
	struct uplink uplink;
	int64_t created;
	struct chain layers;          /* between its top layer and its base */
	struct chain mounted_layers;  /* those it was started with, where it runs and they are others; else none */
	char renamed_from[NAME_LENGTH_MAX + 1]; /* while a rename is under way: the old name */
	char ipv4_before[IPV4_TEXT_SIZE]; /* while a change of address is under way: the old one */
	char rebase_to[BASE_TEXT_SIZE]; /* a rebase that the next start does: "BASE" or "BASE@GENERATION"; or "" */
	bool rebase_fetch;            /* that one with packages that were fetched for it */
	char rebased_from[BASE_TEXT_SIZE]; /* the generation before a rebase that can be undone; or "" */
	bool rebased_by_refresh;      /* that one was a start's, with refresh_base, and nobody asked for it */
	char rebased_status[64 + 1];  /* SHA-256 of the packages as that rebase left them, in hexadecimal; or "" */
	char *snapshot_schedule, *snapshot_keep; /* NULL or "": as layerbox.conf says; "none": not at all */
	char *backup_pre, *backup_post; /* are run in it around a backup's snapshot; NULL or "": nothing */
	struct boot boot;
	struct health_settings health;
	unsigned restart_policy;      /* enum restart_policy */
	uint64_t restart_limit;       /* how often in a row; 0: the default */
	char *alert_command, *alert_mail; /* instead of layerbox.conf's; NULL or "": those, "none": nobody is told */
	bool refresh_base;            /* a start takes the newest generation of its base first */
	char refresh_tried[BASE_TEXT_SIZE]; /* the generation that such a start tried in vain, or that was undone; or "" */
	struct bind_list binds;       /* what it sees of the host's files */
	char *description;            /* never NULL in a record that was read */
};

/*
 * Reads the record below @directory_fd, which may be that of a failed open. -LB_ERR_BAD_CONFIG with file:line,
 * -LB_ERR_NO_CONTAINER without one.
 */
int record_read(struct lb_context *ctx, int directory_fd, const char *name, struct record *ret_record);

/* The same from text (changed); @path is used in sentences. */
int record_parse(struct lb_context *ctx, char *text, const char *path, struct record *ret_record);

/* The record of the container @name below @containers_fd; 1 where the container went away meanwhile. */
int record_read_by_name(struct lb_context *ctx, int containers_fd, const char *name, struct record *ret_record);

/* The file's text; the caller's, NULL without memory. */
char *record_to_text(const struct record *record);

/* Replaces the file, durably. */
int record_write(struct lb_context *ctx, int directory_fd, const char *name, const struct record *record);

void record_free(struct record *record);

/* Opens the generation of the base that the container stands on. */
int record_open_base(struct lb_context *ctx, const struct record *record, struct lb_base **ret_base);

/* The names in ROOT/containers, sorted; what is hidden or has no valid name is not among them. */
int record_list_names(struct lb_context *ctx, struct text_list *ret_names);

/* The same, and the directory they are in: the caller's descriptor. */
int record_open_all(struct lb_context *ctx, struct text_list *ret_names);

/* Opens the directory of a container, for reading without a lock: a descriptor, or -LB_ERR_NO_CONTAINER. */
int record_open_directory(struct lb_context *ctx, const char *name);

/*
 * Which containers stand on @base, at @generation or (0) any, have a snapshot that does, could go back to it by undoing
 * their last rebase, or will go to it at their next start.
 */
int record_base_users(struct lb_context *ctx, const char *base, unsigned generation, struct text_list *ret_names);

struct record_identity {
	char name[NAME_LENGTH_MAX + 1];
	struct network_identity identity;
	uint32_t id_end;              /* behind its last host id; 0 for a privileged one */
};

/* A record with the name of its container. */
struct record_entry {
	char name[NAME_LENGTH_MAX + 1];
	struct record record;
};

/*
 * All records, by name. One that cannot be read is a failure where @all are needed, else left out with a warning.
 * Free them with record_list_free().
 */
int record_list_all(struct lb_context *ctx, bool all, struct record_entry **ret_entries, size_t *ret_count);
void record_list_free(struct record_entry *entries, size_t count);

/*
 * What every container has for itself alone; free(3) the array. A record that cannot be read is a failure where @all
 * are needed, else left out with a warning.
 */
int record_list_identities(struct lb_context *ctx, bool all, struct record_identity **ret_identities,
			   size_t *ret_count);

/* Those of @identities that are on @network, in their order, to *ret_own, which has room for @count; how many. */
size_t record_identities_on(const struct lb_context *ctx, const char *network, const struct record_identity *identities,
			    size_t count, struct record_identity *ret_own);
