/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import.h"

#include "../adapters/rights.h"
#include "../container/seed.h"
#include "../events/event.h"
#include "helper.h"
#include "moving.h"

void import_end(struct import *import)
{
	bool placed = false;

	for (size_t i = 0; i < import->draft_count; i++) {
		placed = placed || import->drafts[i].published;
		layer_draft_end(&import->drafts[i]);
	}
	/* What no container names goes now rather than with the next command. */
	if (placed && !import->done) {
		CLEANUP_FREE char *sentence = strdup(import->ctx->error);

		layers_sweep(import->ctx);
		if (sentence)
			text_copy(import->ctx->error, sizeof import->ctx->error, sentence);
	}
	import->ctx->moves = NULL;
	chain_trees_close(&import->held);
	base_in_end(&import->base);
	inbox_end(&import->inbox);
	close_fd(import->replaced_fd);
	snapshot_record_free(&import->snapshot);
	record_free(&import->record);
}

/* ---- a new container ---- */

/*
 * Files that it has from the beginning, with its name: the stream's snapshot, what layers are called here, its
 * arrival.
 */
static int seed_files(struct import *import, struct seed_file files[3], size_t *ret_count)
{
	const char *incoming = import->options ? import->options->incoming : NULL;
	struct moving moving = { .stage = MOVING_INCOMING };
	size_t count = 0;

	if (*import->header.snapshot)
		files[count++] = (struct seed_file){ text_format(LAYOUT_SNAPSHOTS "/%s", import->header.snapshot),
						     import_snapshot_text(import) };
	if (import->map.count)
		files[count++] = (struct seed_file){ strdup(ID_MAP_FILE), id_map_to_text(&import->map) };
	if (incoming) {
		text_copy(moving.token, sizeof moving.token, incoming);
		files[count++] = (struct seed_file){ strdup(MOVING_FILE), moving_to_text(&moving) };
	}
	*ret_count = count;
	for (size_t i = 0; i < count; i++)
		if (!files[i].path || !files[i].text)
			return fail_memory(import->ctx);
	return 0;
}

/* One that keeps its name keeps the ports of the host that led to it, where they are free here. */
static void add_forwards(struct import *import, const struct forward_list *forwards)
{
	for (size_t i = 0; i < forwards->count; i++) {
		const struct forward *own = &forwards->items[i];
		struct lb_forward forward = { .size = sizeof forward,
					      .protocol = own->udp ? LB_PROTOCOL_UDP : LB_PROTOCOL_TCP,
					      .port = own->port,
					      .target_port = own->target_port };

		text_copy(forward.container, sizeof forward.container, import->name);
		text_copy(forward.listen, sizeof forward.listen, own->listen);
		if (lb_forward_add(import->ctx, &forward) < 0)
			log_message(import->ctx, LB_LOG_WARNING, "container '%s': %s", import->name,
				    import->ctx->error);
	}
}

static int create(struct import *import)
{
	struct forward_list forwards = import->record.forwards;
	bool same_name = text_equal(import->name, import->header.container);
	struct seed_file files[3] = { 0 };
	struct container_seed seed = { .like = &import->record,
				       .layers = import->layers,
				       .origin = import_origin(import),
				       .keep_identity = same_name,
				       .files = files };
	int r = seed_files(import, files, &seed.file_count);

	import->record.forwards = (struct forward_list){ 0 };
	text_copy(import->record.base, sizeof import->record.base, import->base.name);
	import->record.generation = import->base.generation;
	if (r == 0)
		r = container_create_from(import->ctx, import->name, &seed, NULL);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		free(files[i].path);
		free(files[i].text);
	}
	if (r == 0 && same_name)
		add_forwards(import, &forwards);
	forward_list_free(&forwards);
	return r;
}

/* ---- the whole ---- */

static int import_all(struct import *import, int fd)
{
	bool replace = import->options && import->options->replace;
	int r = inbox_begin(import->ctx, &import->inbox);

	if (r < 0)
		return r;
	progress(import->ctx, -1, "receiving");
	r = helper_unpack(import->ctx, import->inbox.path, fd, import_decide, import);
	if (r == 0)
		r = import_place(import);
	/* What is changed in one that arrives is its move's own. */
	if (import->options && import->options->incoming)
		import->ctx->moves = import->name;
	if (r == 0)
		r = replace ? import_replace(import) : create(import);
	import->done = r == 0;
	if (import->done)
		base_in_keep(&import->base);
	return r;
}

static int check_options(struct lb_context *ctx, const struct lb_import_options *options)
{
	int r = CHECK_INPUT(ctx, options, lb_import_options);

	if (r == 0 && options && options->as)
		r = name_check(ctx, "container", options->as);
	if (r == 0 && options && options->base_as)
		r = name_check(ctx, "base", options->base_as);
	if (r == 0 && options && options->incoming && !layer_id_is_valid(options->incoming))
		r = fail(ctx, -LB_ERR_BAD_VALUE, "a move is known by 32 hexadecimal digits");
	return r;
}

int lb_import(struct lb_context *ctx, int fd, const struct lb_import_options *options, char **ret_name)
{
	CLEANUP_IMPORT struct import import = {
		.ctx = ctx, .options = options, .inbox = INBOX_EMPTY, .base = BASE_IN_EMPTY, .replaced_fd = -1
	};
	CLEANUP_FREE char *name = NULL;
	int r;

	import.base.ctx = ctx;
	r = check_options(ctx, options);
	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = import_all(&import, fd);
	if (r < 0)
		fail_wrap(ctx, r, "cannot import the stream");
	if (event_of(ctx, "import", import.name, r, import.header.container) < 0)
		return r;
	name = strdup(import.name);
	if (!name)
		return fail_memory(ctx);
	if (ret_name)
		*ret_name = TAKE_PTR(name);
	return 0;
}
