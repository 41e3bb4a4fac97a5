/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include <fcntl.h>
#include <stdio.h>

#include "../core/store.h"
#include "../snapshot/references.h"
#include "../util/file.h"
#include "../util/keyfile.h"
#include "settings.h"

enum { RECORD_BYTES_MAX = 64 * 1024 };

static const char *read_base(struct record *record, const char *value)
{
	return name_parse_base(value, record->base, &record->generation) ? NULL : "must be NAME@GENERATION";
}

static const char *read_id_range(struct record *record, const char *value)
{
	char start[16];
	const char *colon = strchr(value, ':');
	uint64_t first, count;

	if (!colon || (size_t)(colon - value) >= sizeof start)
		return "must be FIRST:COUNT";
	memcpy(start, value, (size_t)(colon - value));
	start[colon - value] = '\0';
	if (!text_to_number(start, 1, UINT32_MAX, &first) || !text_to_number(colon + 1, 1, UINT32_MAX - first, &count))
		return "must be FIRST:COUNT, host ids that fit into 32 bits";
	record->id_start = (uint32_t)first;
	record->id_count = (uint32_t)count;
	return NULL;
}

static const char *read_privileged(struct record *record, const char *value)
{
	return text_to_bool(value, &record->privileged) ? NULL : "must be yes or no";
}

static const char *read_static(struct record *record, const char *value)
{
	return text_to_bool(value, &record->identity.is_static) ? NULL : "must be yes or no";
}

static const char *read_mac(struct record *record, const char *value)
{
	return address_is_mac(value) && text_copy(record->identity.mac, MAC_TEXT_SIZE, value) ? NULL
											      : "must be a MAC address";
}

static const char *read_ipv4(struct record *record, const char *value)
{
	return address_is_ipv4(value) && text_copy(record->identity.ipv4, IPV4_TEXT_SIZE, value)
		       ? NULL
		       : "must be an IPv4 address";
}

static const char *read_network(struct record *record, const char *value)
{
	return text_copy(record->identity.network, sizeof record->identity.network, value)
		       ? NULL
		       : "must be the name of a network";
}

static const char *read_forwards(struct record *record, const char *value)
{
	struct forward_list forwards;
	const char *why = forward_list_parse(value, &forwards);

	if (why)
		return why;
	forward_list_free(&record->forwards);
	record->forwards = forwards;
	return NULL;
}

static const char *read_created(struct record *record, const char *value)
{
	return text_to_time(value, &record->created) ? NULL : "must be seconds since the epoch, up to the year 9999";
}

static const char *read_renamed_from(struct record *record, const char *value)
{
	return name_is_valid(value) && text_copy(record->renamed_from, sizeof record->renamed_from, value)
		       ? NULL
		       : "must be the name of a container";
}

static const char *read_ipv4_before(struct record *record, const char *value)
{
	return address_is_ipv4(value) && text_copy(record->ipv4_before, IPV4_TEXT_SIZE, value)
		       ? NULL
		       : "must be an IPv4 address";
}

/* NAME or NAME@GENERATION */
static const char *read_rebase_to(struct record *record, const char *value)
{
	return text_copy(record->rebase_to, sizeof record->rebase_to, value) ? NULL : "must be NAME or NAME@GENERATION";
}

static const char *read_rebase_fetch(struct record *record, const char *value)
{
	return text_to_bool(value, &record->rebase_fetch) ? NULL : "must be yes or no";
}

static const char *read_rebased_status(struct record *record, const char *value)
{
	return text_copy(record->rebased_status, sizeof record->rebased_status, value) ? NULL : "must be 64 digits";
}

static const char *read_rebased_from(struct record *record, const char *value)
{
	return text_copy(record->rebased_from, sizeof record->rebased_from, value) ? NULL : "must be NAME@GENERATION";
}

static const char *read_rebased_by_refresh(struct record *record, const char *value)
{
	return text_to_bool(value, &record->rebased_by_refresh) ? NULL : "must be yes or no";
}

static const char *read_refresh_tried(struct record *record, const char *value)
{
	return text_copy(record->refresh_tried, sizeof record->refresh_tried, value) ? NULL : "must be NAME@GENERATION";
}

static const char *read_layers(struct record *record, const char *value)
{
	return chain_parse(value, &record->layers) ? NULL : "must be identifiers of layers";
}

static const char *read_mounted_layers(struct record *record, const char *value)
{
	return chain_parse(value, &record->mounted_layers) ? NULL : "must be identifiers of layers";
}

static const struct {
	const char *key;
	const char *(*read)(struct record *record, const char *value);
} fixed_keys[] = {
	{ "base", read_base }, { "privileged", read_privileged }, { "id_range", read_id_range },
	{ "mac", read_mac },   { "ipv4", read_ipv4 },		  { "created", read_created },
	{ "renamed_from", read_renamed_from }, { "network", read_network },	  { "static", read_static },
	{ "ipv4_before", read_ipv4_before },   { "forwards", read_forwards },
	{ "rebase_to", read_rebase_to },       { "rebased_from", read_rebased_from },
	{ "rebased_status", read_rebased_status }, { "rebase_fetch", read_rebase_fetch },
	{ "rebased_by_refresh", read_rebased_by_refresh }, { "refresh_tried", read_refresh_tried },
	{ "layers", read_layers },	       { "mounted_layers", read_mounted_layers },
};

static const char *on_key(const char *key, const char *value, void *userdata)
{
	struct record *record = userdata;

	for (size_t i = 0; i < sizeof fixed_keys / sizeof *fixed_keys; i++)
		if (text_equal(key, fixed_keys[i].key))
			return fixed_keys[i].read(record, value);
	if (settings_find(key))
		return settings_set(record, key, value);
	return "is not a key of a container's record";
}

static const char *what_is_missing(const struct record *record)
{
	if (!record->generation)
		return "base";
	if (!*record->identity.mac)
		return "mac";
	if (!*record->identity.ipv4)
		return "ipv4";
	if (!record->privileged && !record->id_count)
		return "id_range";
	return NULL;
}

int record_parse(struct lb_context *ctx, char *text, const char *path, struct record *ret_record)
{
	struct record record = { .autostart = true, .description = strdup("") };
	char error[512];
	int r;

	if (!record.description)
		return fail_memory(ctx);
	r = keyfile_parse(text, path, on_key, &record, error, sizeof error);
	if (r < 0)
		r = fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error);
	else if (what_is_missing(&record))
		r = fail(ctx, -LB_ERR_BAD_CONFIG, "%s:1: the key `%s` is missing", path, what_is_missing(&record));
	if (r < 0)
		record_free(&record);
	else
		*ret_record = record;
	return r;
}

int record_read(struct lb_context *ctx, int directory_fd, const char *name, struct record *ret_record)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *path = NULL;
	int r;

	r = directory_fd < 0 ? -ENOENT : file_read(directory_fd, RECORD_FILE, RECORD_BYTES_MAX, &text, NULL);
	if (r == -ENOENT)
		return fail_no_container(ctx, name);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read the record of container '%s'", name);
	path = store_path(ctx, STORE_CONTAINERS "/%s/" RECORD_FILE, name);
	return path ? record_parse(ctx, text, path, ret_record) : fail_memory(ctx);
}

/* A line only where there is something to say. */
static int add_chain(struct buffer *text, const char *key, const struct chain *chain)
{
	CLEANUP_FREE char *ids = chain_format(chain);

	if (ids && *ids)
		buffer_format(text, "%s = %s\n", key, ids);
	return ids ? 0 : -ENOMEM;
}

char *record_to_text(const struct record *record)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	const char *name;

	buffer_add_text(&text, "# A container of layerbox. Change it with `layerbox set`.\n");
	buffer_format(&text, "base = %s@%u\n", record->base, record->generation);
	buffer_format(&text, "privileged = %s\n", record->privileged ? "yes" : "no");
	if (!record->privileged)
		buffer_format(&text, "id_range = %u:%u\n", record->id_start, record->id_count);
	if (*record->identity.network)
		buffer_format(&text, "network = %s\n", record->identity.network);
	buffer_format(&text, "mac = %s\n", record->identity.mac);
	buffer_format(&text, "ipv4 = %s\n", record->identity.ipv4);
	if (record->identity.is_static)
		buffer_add_text(&text, "static = yes\n");
	buffer_format(&text, "created = %lld\n", (long long)record->created);
	if (add_chain(&text, "layers", &record->layers) < 0 ||
	    add_chain(&text, "mounted_layers", &record->mounted_layers) < 0)
		return NULL;
	if (*record->renamed_from)
		buffer_format(&text, "renamed_from = %s\n", record->renamed_from);
	if (*record->ipv4_before)
		buffer_format(&text, "ipv4_before = %s\n", record->ipv4_before);
	if (*record->rebase_to)
		buffer_format(&text, "rebase_to = %s\n", record->rebase_to);
	if (*record->rebase_to && record->rebase_fetch)
		buffer_add_text(&text, "rebase_fetch = yes\n");
	if (*record->rebased_from)
		buffer_format(&text, "rebased_from = %s\n", record->rebased_from);
	if (*record->rebased_from && *record->rebased_status)
		buffer_format(&text, "rebased_status = %s\n", record->rebased_status);
	if (*record->rebased_from && record->rebased_by_refresh)
		buffer_add_text(&text, "rebased_by_refresh = yes\n");
	if (*record->refresh_tried)
		buffer_format(&text, "refresh_tried = %s\n", record->refresh_tried);
	if (record->forwards.count) {
		CLEANUP_FREE char *forwards = forward_list_format(&record->forwards);

		if (!forwards)
			return NULL;
		buffer_format(&text, "forwards = %s\n", forwards);
	}
	for (size_t i = 0; (name = settings_name(record, i)); i++) {
		CLEANUP_FREE char *value = settings_get(record, name);

		if (!value)
			return NULL;
		if (*value)
			buffer_format(&text, "%s = %s\n", name, value);
	}
	return buffer_finish(&text);
}

int record_write(struct lb_context *ctx, int directory_fd, const char *name, const struct record *record)
{
	CLEANUP_FREE char *text = record_to_text(record);
	int r;

	if (!text)
		return fail_memory(ctx);
	r = file_write(directory_fd, RECORD_FILE, text, strlen(text), 0600, FILE_DURABLE);
	if (r < 0)
		return fail_errno(ctx, r, "cannot write the record of container '%s'", name);
	return 0;
}

void record_free(struct record *record)
{
	settings_free(record);
	forward_list_free(&record->forwards);
}

int record_open_base(struct lb_context *ctx, const struct record *record, struct lb_base **ret_base)
{
	char name[NAME_LENGTH_MAX + 16];

	snprintf(name, sizeof name, "%s@%u", record->base, record->generation);
	return base_open(ctx, name, ret_base);
}

int record_list_names(struct lb_context *ctx, struct text_list *ret_names)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int fd = store_open_directory(ctx, STORE_CONTAINERS);
	CLEANUP_DIR DIR *dir = take_dir(fd);
	struct dirent *entry;

	if (!dir)
		return fd < 0 ? fd : fail_memory(ctx);
	while ((errno = 0, entry = readdir(dir)))
		if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) && name_is_valid(entry->d_name) &&
		    text_list_add(&names, entry->d_name) < 0)
			return fail_memory(ctx);
	if (errno)
		return fail_errno(ctx, errno, "cannot read %s/" STORE_CONTAINERS, ctx->config.root);
	text_list_sort(&names);
	*ret_names = names;
	names = (struct text_list){ 0 };
	return 0;
}

int record_open_directory(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *path = text_format(STORE_CONTAINERS "/%s", name);
	int fd, r = path ? store_open(ctx) : fail_memory(ctx);

	if (r < 0)
		return r;
	fd = openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? fail_no_container(ctx, name)
				       : fail_errno(ctx, errno, "cannot open container '%s'", name);
	return fd;
}

int record_read_by_name(struct lb_context *ctx, int containers_fd, const char *name, struct record *ret_record)
{
	CLEANUP_FD int fd = openat(containers_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return 1;
	r = record_read(ctx, fd, name, ret_record);
	/* A deletion, which holds no lock of the root's, may have come between open and read. */
	if (r == -LB_ERR_NO_CONTAINER && faccessat(containers_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 1;
	return r;
}

int record_open_all(struct lb_context *ctx, struct text_list *ret_names)
{
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	int r = containers_fd < 0 ? containers_fd : record_list_names(ctx, ret_names);

	return r < 0 ? r : take_fd(&containers_fd);
}

int record_base_users(struct lb_context *ctx, const char *base, unsigned generation, struct text_list *ret_names)
{
	CLEANUP_TEXT_LIST struct text_list users = { 0 };
	CLEANUP_REFERENCES struct references references = { 0 };
	int r = references_collect(ctx, &references);

	for (size_t i = 0; r == 0 && i < references.count; i++) {
		const struct reference *reference = &references.items[i];

		if (text_equal(reference->base, base) && (!generation || reference->generation == generation) &&
		    !text_list_has(&users, reference->container) &&
		    text_list_add(&users, reference->container) < 0)
			r = fail_memory(ctx);
	}
	if (r < 0)
		return r;
	*ret_names = users;
	users = (struct text_list){ 0 };
	return 0;
}

void record_list_free(struct record_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		record_free(&entries[i].record);
	free(entries);
}

int record_list_all(struct lb_context *ctx, bool all, struct record_entry **ret_entries, size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int containers_fd = record_open_all(ctx, &names);
	struct record_entry *entries;
	size_t count = 0;

	if (containers_fd < 0)
		return containers_fd;
	entries = calloc(names.count + 1, sizeof *entries);
	if (!entries)
		return fail_memory(ctx);
	for (size_t i = 0; i < names.count; i++) {
		int r = record_read_by_name(ctx, containers_fd, names.items[i], &entries[count].record);

		if (r == 0)
			text_copy(entries[count++].name, sizeof entries->name, names.items[i]);
		if (r >= 0 || r == -LB_ERR_NO_CONTAINER)
			continue;
		if (all) {
			record_list_free(entries, count);
			return r;
		}
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	}
	*ret_entries = entries;
	*ret_count = count;
	return 0;
}
