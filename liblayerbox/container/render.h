/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is rendered from templates for a container: LXC's config, and files such as /etc/hostname that its top
 * layer begins with. The variables are documented in docs/templates.md.
 */
#pragma once

#include "../base/base.h"
#include "../core/store.h"
#include "../network/ipv6.h"
#include "record.h"

/*
 * Renders LXC's config of the container into its directory and ROOT/include/common.conf where they differ from
 * what is there. Returns 1 when both were right. A file that someone changed by hand is kept beside, as
 * FILE.edited, and the log says so.
 */
int render_config(struct lb_context *ctx, int directory_fd, const char *name, const struct record *record);

/* The same for who has opened the container's base. */
int render_config_on(struct lb_context *ctx, int directory_fd, const char *name, const struct record *record,
		     const struct lb_base *base);

/* Only the text of the config, the caller's. */
int render_config_text(struct lb_context *ctx, const char *name, const struct record *record,
		       const struct lb_base *base, bool has_local_config, char **ret_text);

/* What the files of templates/rootfs are rendered with; the machine id is a fresh one. */
struct rootfs_values {
	const char *name;
	const char *ipv4;
	char ipv4_length[4];          /* of the subnet's prefix: "24" */
	char gateway[IPV4_TEXT_SIZE];
	char ipv6[IPV6_TEXT_SIZE], ipv6_gateway[IPV6_TEXT_SIZE]; /* "" where the network has no IPv6 */
	char machine_id[33];
};

int render_rootfs_values(struct lb_context *ctx, const char *name, const struct record *record,
			 const struct network_plan *network, struct rootfs_values *ret_values);

/*
 * Renders every file below templates/rootfs into the fresh top layer @top_fd over base tree @base_fd; for a container
 * with a static address also those of templates/rootfs-static whose directory the base has: a base that does not know
 * systemd-networkd gets no file for it. The descriptors of what was written are appended to @fds, for the caller to
 * sync and close.
 */
int render_rootfs(struct lb_context *ctx, int top_fd, int base_fd, const struct rootfs_values *values, bool is_static,
		  int **fds, size_t *count);

/* The two trees of templates for top layers: for all, and for those with a static address. */
#define TEMPLATES_ROOTFS STORE_TEMPLATES "/rootfs"
#define TEMPLATES_STATIC STORE_TEMPLATES "/rootfs-static"

/* Adds the paths below @templates, the operator's and the installed ones, without a leading slash, each once. */
int render_rootfs_list(struct lb_context *ctx, const char *templates, struct text_list *ret_paths);

/* One file of @templates. */
int render_rootfs_file(struct lb_context *ctx, const char *templates, const char *path,
		       const struct rootfs_values *values, char **ret_text);

/*
 * Makes the directories of @path in a top layer as they are in the tree below it, since they hide that one's mode and
 * owner. 1 where there is something else, such as a link: then the file is left to that tree. Negative errno.
 */
int render_parents(int top_fd, int below_fd, const char *path);
