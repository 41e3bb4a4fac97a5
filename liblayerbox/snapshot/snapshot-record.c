/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "../core/store.h"
#include "../util/file.h"
#include "../util/keyfile.h"
#include "../util/tree.h"
#include "snapshot.h"

enum { SNAPSHOT_BYTES_MAX = 16 * 1024 };

/* ---- labels ---- */

bool label_is_valid(const char *label)
{
	size_t length = strlen(label);

	if (length < 1 || length > LABEL_MAX || !isalnum((unsigned char)*label))
		return false;
	for (; *label; label++)
		if (!isalnum((unsigned char)*label) && !strchr("._-", *label))
			return false;
	return true;
}

int label_check(struct lb_context *ctx, const char *label)
{
	if (label_is_valid(label))
		return 0;
	return fail(ctx, -LB_ERR_BAD_NAME,
		    "'%s' cannot be the label of a snapshot: 1 to %d letters, digits, dots, dashes and underscores, a "
		    "letter or "
		    "digit first",
		    label, LABEL_MAX);
}

/* ---- the file ---- */

static const char *read_time(const char *value, int64_t *member)
{
	return text_to_time(value, member) ? NULL : "must be seconds since the epoch, up to the year 9999";
}

static const char *on_key(const char *key, const char *value, void *userdata)
{
	struct snapshot_record *record = userdata;

	if (text_equal(key, "layers"))
		return chain_parse(value, &record->layers) ? NULL : "must be identifiers of layers";
	if (text_equal(key, "base"))
		return name_parse_base(value, record->base, &record->generation) ? NULL : "must be NAME@GENERATION";
	if (text_equal(key, "name"))
		return name_is_valid(value) && text_copy(record->name, sizeof record->name, value) ? NULL
												   : "must be a name";
	if (text_equal(key, "ipv4"))
		return address_is_ipv4(value) && text_copy(record->ipv4, sizeof record->ipv4, value)
			       ? NULL
			       : "must be an address";
	if (text_equal(key, "created"))
		return read_time(value, &record->created);
	if (text_equal(key, "expires"))
		return read_time(value, &record->expires);
	if (text_equal(key, "scheduled"))
		return text_to_bool(value, &record->scheduled) ? NULL : "must be yes or no";
	if (text_equal(key, "live"))
		return text_to_bool(value, &record->live) ? NULL : "must be yes or no";
	if (text_equal(key, "frozen_us"))
		return text_to_number(value, 0, UINT64_MAX, &record->frozen_us) ? NULL : "must be microseconds";
	if (text_equal(key, "comment"))
		return keyfile_take(&record->comment, value);
	return "is not a key of a snapshot";
}

int snapshot_record_parse(struct lb_context *ctx, const char *text, const char *path,
			  struct snapshot_record *ret_record)
{
	struct snapshot_record record = { .comment = strdup("") };
	CLEANUP_FREE char *copy = strdup(text);
	char error[512];
	int r;

	if (!copy || !record.comment) {
		snapshot_record_free(&record);
		return fail_memory(ctx);
	}
	r = keyfile_parse(copy, path, on_key, &record, error, sizeof error);
	if (r < 0)
		r = fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error);
	else if (!record.generation || !*record.name || !*record.ipv4)
		r = fail(ctx, -LB_ERR_BAD_CONFIG, "%s:1: one of the keys `base`, `name` and `ipv4` is missing", path);
	if (r < 0)
		snapshot_record_free(&record);
	else
		*ret_record = record;
	return r;
}

struct snapshot_record snapshot_record_of(const char *name, const struct record *record)
{
	struct snapshot_record snapshot = { .generation = record->generation, .created = time(NULL) };

	text_copy(snapshot.base, sizeof snapshot.base, record->base);
	text_copy(snapshot.name, sizeof snapshot.name, name);
	text_copy(snapshot.ipv4, sizeof snapshot.ipv4, record->identity.ipv4);
	return snapshot;
}

char *snapshot_record_to_text(const struct snapshot_record *record)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	CLEANUP_FREE char *layers = chain_format(&record->layers);

	if (!layers)
		return NULL;
	buffer_format(&text,
		      "# A snapshot of layerbox. Change it with `layerbox snapshot`.\nlayers = %s\nbase = %s@%u\n",
		      layers, record->base, record->generation);
	buffer_format(&text, "name = %s\nipv4 = %s\n", record->name, record->ipv4);
	buffer_format(&text, "created = %lld\n", (long long)record->created);
	if (record->expires)
		buffer_format(&text, "expires = %lld\n", (long long)record->expires);
	if (record->scheduled)
		buffer_add_text(&text, "scheduled = yes\n");
	if (record->live)
		buffer_format(&text, "live = yes\nfrozen_us = %llu\n", (unsigned long long)record->frozen_us);
	if (!text_empty(record->comment))
		buffer_format(&text, "comment = %s\n", record->comment);
	return buffer_finish(&text);
}

void snapshot_record_free(struct snapshot_record *record)
{
	free(TAKE_PTR(record->comment));
}

/* ---- where it lies ---- */

static int open_snapshots(int container_fd)
{
	int fd = openat(container_fd, LAYOUT_SNAPSHOTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int snapshot_list_labels(struct lb_context *ctx, int container_fd, const char *container, struct text_list *ret_labels)
{
	CLEANUP_TEXT_LIST struct text_list all = { 0 };
	CLEANUP_TEXT_LIST struct text_list labels = { 0 };
	CLEANUP_FD int fd = open_snapshots(container_fd);
	int r = fd < 0 ? fd : tree_list_names(fd, &all);

	for (size_t i = 0; r == 0 && i < all.count; i++)
		if (label_is_valid(all.items[i]))
			r = text_list_add(&labels, all.items[i]);
	if (r < 0 && r != -ENOENT)
		return fail_errno(ctx, r, "cannot list the snapshots of container '%s'", container);
	*ret_labels = labels;
	labels = (struct text_list){ 0 };
	return 0;
}

static int no_such_snapshot(struct lb_context *ctx, int container_fd, const char *container, const char *label)
{
	CLEANUP_TEXT_LIST struct text_list labels = { 0 };
	CLEANUP_BUFFER struct buffer list = { 0 };

	buffer_add_text(&list, "");
	if (snapshot_list_labels(ctx, container_fd, container, &labels) == 0)
		for (size_t i = 0; i < labels.count && i < 10; i++)
			buffer_format(&list, "%s%s", i ? ", " : "; there are: ", labels.items[i]);
	return fail(ctx, -LB_ERR_NO_SNAPSHOT, "container '%s' has no snapshot '%s'%s%s", container, label,
		    list.failed ? "" : list.data,
		    labels.count > 10 ? " ..."
		    : labels.count    ? ""
				      : "; it has none at all");
}

int snapshot_read(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		  struct snapshot_record *ret_record)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_SNAPSHOTS "/%s", container, label);
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FD int fd = open_snapshots(container_fd);
	int r;

	if (!path)
		return fail_memory(ctx);
	r = fd < 0 ? fd : label_is_valid(label) ? file_read(fd, label, SNAPSHOT_BYTES_MAX, &text, NULL) : -ENOENT;
	if (r == -ENOENT)
		return no_such_snapshot(ctx, container_fd, container, label);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read snapshot '%s' of container '%s'", label, container);
	return snapshot_record_parse(ctx, text, path, ret_record);
}

int snapshot_write(struct lb_context *ctx, int container_fd, const char *container, const char *label,
		   const struct snapshot_record *record, bool replace)
{
	CLEANUP_FREE char *text = snapshot_record_to_text(record);
	CLEANUP_FD int fd = -1;
	int r;

	if (!text)
		return fail_memory(ctx);
	if (mkdirat(container_fd, LAYOUT_SNAPSHOTS, 0700) < 0 && errno != EEXIST)
		return fail_errno(ctx, errno, "cannot make the directory of snapshots of container '%s'", container);
	fd = open_snapshots(container_fd);
	if (fd >= 0 && !replace && faccessat(fd, label, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(ctx, -LB_ERR_EXISTS, "container '%s' has a snapshot '%s' already", container, label);
	r = fd < 0 ? fd : file_write(fd, label, text, strlen(text), 0600, FILE_DURABLE);
	return r < 0 ? fail_errno(ctx, r, "cannot write snapshot '%s' of container '%s'", label, container) : 0;
}
