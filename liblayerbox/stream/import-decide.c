/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream says of itself, judged before anything big of it is unpacked. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../container/container.h"
#include "../container/next.h"
#include "../container/settings.h"
#include "../core/store.h"
#include "../snapshot/references.h"
#include "../util/file.h"
#include "import.h"
#include "moving.h"

enum { RECORD_MEMBER_MAX = 64 * 1024, SNAPSHOT_MEMBER_MAX = 16 * 1024 };

/* ---- its small members ---- */

static int read_header(struct import *import)
{
	CLEANUP_FREE char *text = NULL;
	char error[512];
	int r = inbox_read(&import->inbox, HEADER_MEMBER, HEADER_BYTES_MAX, &text);

	if (r < 0)
		return r;
	if (header_parse(text, &import->header, error, sizeof error) < 0)
		return fail(import->ctx, -LB_ERR_BAD_STREAM, "%s", error);
	return 0;
}

/* What has programs run on this host, or reaches its files, is for its own operator to say. */
static int take_of_host(struct import *import, struct record *record)
{
	CLEANUP_TEXT_LIST struct text_list taken = { 0 };

	if (settings_take_of_host(record, &taken) < 0)
		return fail_memory(import->ctx);
	for (size_t i = 0; i < taken.count; i++)
		log_message(import->ctx, LB_LOG_WARNING,
			    "the container came with a setting that this host's operator has to make: `layerbox set %s %s`",
			    import->header.container, text_printable(taken.items[i]));
	return 0;
}

/* What it says of layers, base and changes under way counts for nothing: the header does. */
static int read_record(struct import *import)
{
	CLEANUP_FREE char *text = NULL;
	struct record *record = &import->record;
	int r = inbox_read(&import->inbox, RECORD_FILE, RECORD_MEMBER_MAX, &text);

	if (r < 0)
		return r;
	if (record_parse(import->ctx, text, RECORD_FILE, record) < 0)
		return fail_wrap(import->ctx, -LB_ERR_BAD_STREAM, "the stream's record");
	if (*record->identity.network && !name_is_bridge(record->identity.network))
		return fail(import->ctx, -LB_ERR_BAD_STREAM, "the stream's record has a network that cannot be one");
	record->layers = record->mounted_layers = (struct chain){ 0 };
	*record->renamed_from = *record->ipv4_before = '\0';
	*record->rebase_to = *record->rebased_from = *record->rebased_status = '\0';
	record->rebase_fetch = record->rebased_by_refresh = false;
	*record->refresh_tried = '\0';
	return take_of_host(import, record);
}

static int read_snapshot(struct import *import)
{
	CLEANUP_FREE char *member = text_format(LAYOUT_SNAPSHOTS "/%s", import->header.snapshot);
	CLEANUP_FREE char *text = NULL;
	int r;

	if (!*import->header.snapshot)
		return 0;
	r = member ? inbox_read(&import->inbox, member, SNAPSHOT_MEMBER_MAX, &text) : fail_memory(import->ctx);
	if (r < 0)
		return r;
	if (snapshot_record_parse(import->ctx, text, member, &import->snapshot) < 0)
		return fail_wrap(import->ctx, -LB_ERR_BAD_STREAM, "the stream's snapshot");
	text_printable(import->snapshot.comment);
	return 0;
}

/* ---- may it be? ---- */

static int check_rights(struct import *import)
{
	if (!import->record.privileged || (import->options && import->options->allow_privileged))
		return 0;
	return fail(import->ctx, -LB_ERR_BAD_STREAM,
		    "container '%s' of the stream is privileged: its root would be the root of this host. Where you "
		    "trust whoever "
		    "made the stream, import it with --allow-privileged",
		    import->header.container);
}

static int choose_name(struct import *import)
{
	const char *as = import->options && import->options->as ? import->options->as : import->header.container;

	text_copy(import->name, sizeof import->name, as);
	return name_check(import->ctx, "container", as);
}

/*
 * What a move that was cut off has left: it is still the other host's, so another try may take its place. That is
 * written down before it is deleted, under one lock: nobody is told that it lives here in between.
 */
static int remove_arriving(struct import *import)
{
	CLEANUP_FD int fd = container_lock(import->ctx, import->name);
	struct moving moving = { 0 };
	int r = fd < 0 ? fd : moving_advance(import->ctx, fd, import->name, MOVING_GIVE_WAY, &moving);

	return r < 0 ? r : container_delete_locked(import->ctx, import->name, take_fd(&fd));
}

/* A new one needs all its layers. */
static int check_new(struct import *import)
{
	CLEANUP_FREE char *path = text_format(STORE_CONTAINERS "/%s", import->name);
	int r = -LB_ERR_NO_CONTAINER;

	if (!path)
		return fail_memory(import->ctx);
	if (faccessat(import->ctx->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = import->options && import->options->incoming ? remove_arriving(import) : -LB_ERR_BUSY;
	if (r == -LB_ERR_BUSY)
		return fail(import->ctx, -LB_ERR_EXISTS,
			    "there is a container '%s' already; give the one in the stream another name "
			    "with --as",
			    import->name);
	if (r < 0 && r != -LB_ERR_NO_CONTAINER)
		return r;
	for (size_t i = 0; i < import->header.layers.count; i++)
		if (import->header.ways[i] != LAYER_WHOLE)
			return fail(import->ctx, -LB_ERR_NO_SNAPSHOT,
				    "the stream has only what changed since a snapshot of container '%s'; receive it "
				    "with --replace "
				    "where that is, or have all of it sent",
				    import->header.container);
	return 0;
}

/* ---- layers that are here ---- */

/* Only those of the container itself: nobody gets at another's files by naming a layer of his. */
static bool is_its_own(const struct references *references, const char *id)
{
	return references_name(references, id);
}

static int hold(struct import *import, const char *id)
{
	int fd = layer_open_tree(import->ctx, id);

	if (fd < 0)
		return fd;
	import->held.fds[import->held.count++] = fd;
	return 0;
}

static int hold_needed(struct import *import, const struct references *references)
{
	const struct stream_header *header = &import->header;

	for (size_t i = 0; i < header->layers.count; i++) {
		const char *theirs = header->ways[i] == LAYER_DIFFERS ? header->from[i] : header->layers.ids[i];
		const char *ours = id_map_find(&import->map, theirs);
		bool there = is_its_own(references, ours) && layer_exists(import->ctx, ours);
		int r;

		if (!there && header->ways[i] == LAYER_WHOLE)
			continue;
		if (!there)
			return fail(import->ctx, -LB_ERR_NO_SNAPSHOT,
				    "the stream has only what changed since a snapshot that container '%s' has not "
				    "here; have all of it "
				    "sent",
				    import->name);
		r = hold(import, ours);
		if (r < 0)
			return r;
		import->here[i] = header->ways[i] != LAYER_DIFFERS;
	}
	return 0;
}

/* One that is arriving takes only what comes from the same place; one that lives here nothing that is arriving. */
static int check_arrival(struct import *import, int container_fd)
{
	const char *token = import->options->incoming;
	struct moving moving;
	int r = moving_read(import->ctx, container_fd, import->name, &moving);

	if (r < 0)
		return r;
	if (moving.stage == MOVING_INCOMING && token && text_equal(moving.token, token))
		return 0;
	if ((moving.stage == MOVING_NONE || moving.stage == MOVING_ARRIVED) && !token)
		return 0;
	return fail(import->ctx, -LB_ERR_BUSY, "container '%s' is being moved", import->name);
}

/* The one that was judged before? A name alone does not say so. */
static int check_identity(struct import *import, int container_fd)
{
	struct stat before, now;

	if (import->replaced_fd < 0) {
		/* Of its own, lest it keep the lock. */
		import->replaced_fd = openat(container_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return import->replaced_fd < 0
			       ? fail_errno(import->ctx, errno, "cannot open container '%s'", import->name)
			       : 0;
	}
	if (fstat(import->replaced_fd, &before) < 0 || fstat(container_fd, &now) < 0)
		return fail_errno(import->ctx, errno, "cannot look at container '%s'", import->name);
	if (before.st_dev == now.st_dev && before.st_ino == now.st_ino)
		return 0;
	return fail(import->ctx, -LB_ERR_CONFLICT,
		    "container '%s' is another one than when the stream began to come; send it again", import->name);
}

int import_check_replaced(struct import *import, int container_fd, struct record *ret_record)
{
	struct record record = { 0 };
	int r = check_identity(import, container_fd);

	if (r == 0)
		r = check_arrival(import, container_fd);
	if (r == 0)
		r = container_require_stopped(import->ctx, import->name, "stop it before it is replaced");
	if (r == 0)
		r = record_read(import->ctx, container_fd, import->name, &record);
	if (r < 0)
		return r;
	if (record.privileged != import->record.privileged) {
		record_free(&record);
		return fail(import->ctx, -LB_ERR_BAD_STREAM,
			    "of container '%s' here and the one in the stream one is privileged", import->name);
	}
	*ret_record = record;
	return 0;
}

static int check_replaced(struct import *import)
{
	CLEANUP_REFERENCES struct references references = { 0 };
	CLEANUP_FD int fd = container_lock(import->ctx, import->name);
	struct record record = { 0 };
	int r = fd < 0 ? fd : import_check_replaced(import, fd, &record);

	if (r < 0)
		return r;
	record_free(&record);
	r = id_map_read(import->ctx, fd, import->name, &import->map);
	if (r == 0)
		r = references_collect_of(import->ctx, fd, import->name, &references);
	return r < 0 ? r : hold_needed(import, &references);
}

/* ---- what the helper is told ---- */

static void tell_layers(const struct import *import, struct buffer *text)
{
	const struct stream_header *header = &import->header;

	for (size_t i = header->layers.count; i-- > 0;) {
		if (header->ways[i] == LAYER_WHOLE)
			buffer_format(text, "layer %s\n", header->layers.ids[i]);
		else if (header->ways[i] == LAYER_DIFFERS)
			buffer_format(text, "from %s %s/" STORE_LAYERS "/%s/" LAYER_TREE "\n", header->layers.ids[i],
				      import->ctx->config.root, id_map_find(&import->map, header->from[i]));
	}
}

static int tell(const struct import *import, int answer_fd)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	int r;

	tell_layers(import, &text);
	if (import->header.base_included)
		buffer_add_text(&text, "base\n");
	if (import->record.privileged)
		buffer_add_text(&text, "privileged\n");
	buffer_add_text(&text, "go\n");
	r = text.failed ? -ENOMEM : fd_write_all(answer_fd, text.data, text.length);
	return r < 0 && r != -EPIPE ? fail_errno(import->ctx, r, "cannot tell the helper program what to unpack") : 0;
}

int import_decide(int answer_fd, void *userdata)
{
	struct import *import = userdata;
	int r = read_header(import);

	if (r == 0)
		r = read_record(import);
	if (r == 0)
		r = read_snapshot(import);
	if (r == 0)
		r = check_rights(import);
	if (r == 0)
		r = choose_name(import);
	if (r == 0)
		r = import->options && import->options->replace ? check_replaced(import) : check_new(import);
	if (r == 0)
		r = base_in_decide(import->ctx, &import->header, import->options ? import->options->base_as : NULL,
				   &import->base);
	if (r < 0)
		return r;
	import->take_base = r > 0;
	return tell(import, answer_fd);
}
