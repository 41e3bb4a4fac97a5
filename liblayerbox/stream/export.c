/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export.h"

#include "../adapters/rights.h"
#include "../base/generation.h"
#include "../base/manifest.h"
#include "../container/container.h"
#include "../container/next.h"
#include "../core/store.h"
#include "../snapshot/state.h"
#include "../util/file.h"
#include "base-in.h"
#include "header.h"
#include "helper.h"

enum { MANIFEST_BYTES_MAX = 1 << 28, GENERATION_BYTES_MAX = 1 << 16 };

struct export {
	struct lb_context *ctx;
	const char *container;
	struct state state;
	struct stream_header header;
	struct record record;
	struct chain_trees from;      /* held: those that a layer comes as the difference to */
	struct buffer plan;
};

static void export_end(struct export *export)
{
	chain_trees_close(&export->from);
	record_free(&export->record);
	buffer_free(&export->plan);
	state_release(&export->state);
}

#define CLEANUP_EXPORT CLEANUP(export_end)

/* ---- what is sent ---- */

/* As it will be where it arrives: with the files of the snapshot, and with nothing that was under way here. */
static int read_record(struct export *export, int container_fd)
{
	struct record *record = &export->record;
	const struct snapshot_record *snapshot = &export->state.snapshot;
	int r = record_read(export->ctx, container_fd, export->container, record);

	if (r < 0)
		return r;
	text_copy(record->base, sizeof record->base, snapshot->base);
	record->generation = snapshot->generation;
	record->layers = snapshot->layers;
	record->mounted_layers = (struct chain){ 0 };
	*record->renamed_from = *record->ipv4_before = '\0';
	*record->rebase_to = *record->rebased_from = *record->rebased_status = '\0';
	return 0;
}

/* Which layers the reader has already, and which of them must stay until all is sent. */
static int read_since(struct export *export, int container_fd, const struct text_list *since)
{
	CLEANUP_FREE struct chain *chains = calloc(since->count + 1, sizeof *chains);
	struct stream_header *header = &export->header;
	int r = chains ? 0 : fail_memory(export->ctx);

	for (size_t i = 0; r == 0 && i < since->count; i++) {
		struct snapshot_record snapshot = { 0 };

		r = snapshot_read(export->ctx, container_fd, export->container, since->items[i], &snapshot);
		if (r < 0)
			return r;
		chains[i] = snapshot.layers;
		snapshot_record_free(&snapshot);
	}
	if (r < 0)
		return r;
	header_choose_ways(header, chains, since->count);
	for (size_t i = 0; i < header->layers.count; i++) {
		if (header->ways[i] != LAYER_DIFFERS)
			continue;
		r = layer_open_tree(export->ctx, header->from[i]);
		if (r < 0)
			return r;
		export->from.fds[export->from.count++] = r;
	}
	return 0;
}

static int read_container(struct export *export, const struct text_list *since)
{
	CLEANUP_FD int fd = container_lock(export->ctx, export->container);
	int r = fd < 0 ? fd : read_record(export, fd);

	return r < 0 ? r : read_since(export, fd, since);
}

static int fill_header(struct export *export, bool with_base)
{
	struct stream_header *header = &export->header;
	const struct state *state = &export->state;

	text_copy(header->container, sizeof header->container, export->container);
	if (!state->temporary)
		text_copy(header->snapshot, sizeof header->snapshot, state->label);
	text_copy(header->base, sizeof header->base, state->snapshot.base);
	header->generation = state->snapshot.generation;
	header->base_included = with_base;
	header->layers = state->snapshot.layers;
	return base_in_digest_at(export->ctx, state->generation_fd, header->base, header->generation,
				 header->base_manifest);
}

/* What is to be changed in them where the container gets another name or address. */
static int fill_files(struct export *export)
{
	const struct snapshot_record *snapshot = &export->state.snapshot;
	struct stream_header *header = &export->header;

	text_copy(header->files_name, sizeof header->files_name, *snapshot->name ? snapshot->name : export->container);
	text_copy(header->files_ipv4, sizeof header->files_ipv4,
		  *snapshot->ipv4 ? snapshot->ipv4 : export->record.identity.ipv4);
	return address_gateway(export->ctx, export->record.identity.network, header->files_gateway);
}

/* ---- the plan ---- */

static int plan_text(struct export *export, const char *member, char *text)
{
	CLEANUP_FREE char *owned = text;

	if (!owned)
		return fail_memory(export->ctx);
	buffer_format(&export->plan, "file %s %zu\n", member, strlen(owned));
	buffer_add_text(&export->plan, owned);
	buffer_add_text(&export->plan, "\n");
	return 0;
}

static int plan_small_members(struct export *export)
{
	const struct stream_header *header = &export->header;
	char member[LABEL_SIZE + 16];
	int r = plan_text(export, HEADER_MEMBER, header_to_text(header));

	if (r == 0)
		r = plan_text(export, RECORD_FILE, record_to_text(&export->record));
	if (r < 0 || !*header->snapshot)
		return r;
	snprintf(member, sizeof member, LAYOUT_SNAPSHOTS "/%s", header->snapshot);
	return plan_text(export, member, snapshot_record_to_text(&export->state.snapshot));
}

static int plan_base_file(struct export *export, const char *name, size_t max)
{
	char *text = NULL, member[64];
	int r = file_read(export->state.generation_fd, name, max, &text, NULL);

	if (r < 0)
		return fail_errno(export->ctx, r, "cannot read %s of base %s@%u", name, export->header.base,
				  export->header.generation);
	snprintf(member, sizeof member, "base/%s", name);
	return plan_text(export, member, text);
}

static int plan_base(struct export *export)
{
	const struct stream_header *header = &export->header;
	int r = plan_base_file(export, GENERATION_FILE, GENERATION_BYTES_MAX);

	if (r == 0)
		r = plan_base_file(export, GENERATION_MANIFEST, MANIFEST_BYTES_MAX);
	if (r == 0)
		buffer_format(&export->plan,
			      "tree base/" GENERATION_TREE " %s/" STORE_BASES "/%s/%u/" GENERATION_TREE "\n",
			      export->ctx->config.root, header->base, header->generation);
	return r;
}

/* Where the other layer was copied while its top layer was written to, it knows the states of what it copied. */
static void plan_difference(struct export *export, unsigned number, const char *id, const char *from)
{
	CLEANUP_FREE char *states = store_path(export->ctx, STORE_LAYERS "/%s/" LAYER_SOURCE, from);
	const char *root = export->ctx->config.root;
	struct buffer *plan = &export->plan;

	buffer_format(plan, "difference " STORE_LAYERS "/%u %s/" STORE_LAYERS "/%s/" LAYER_TREE, number, root, id);
	buffer_format(plan, " %s/" STORE_LAYERS "/%s/" LAYER_TREE, root, from);
	if (states && access(states, F_OK) == 0)
		buffer_format(plan, " %s/" STORE_LAYERS "/%s", root, from);
	buffer_add_text(plan, "\n");
}

/*
 * Bottom layer first. Members have a number instead of an identifier: the same files in another layer are the same
 * bytes.
 */
static void plan_layers(struct export *export)
{
	const struct stream_header *header = &export->header;
	unsigned number = 0;

	for (size_t i = header->layers.count; i-- > 0;) {
		const char *id = header->layers.ids[i];

		if (header->ways[i] == LAYER_WHOLE)
			buffer_format(&export->plan, "tree " STORE_LAYERS "/%u %s/" STORE_LAYERS "/%s/" LAYER_TREE "\n",
				      ++number, export->ctx->config.root, id);
		else if (header->ways[i] == LAYER_DIFFERS)
			plan_difference(export, ++number, id, header->from[i]);
	}
}

static int plan_all(struct export *export)
{
	int r = plan_small_members(export);

	if (r == 0 && export->header.base_included)
		r = plan_base(export);
	if (r < 0)
		return r;
	plan_layers(export);
	buffer_add_text(&export->plan, "end\n");
	return export->plan.failed ? fail_memory(export->ctx) : 0;
}

/* ---- the calls ---- */

int export_since(struct lb_context *ctx, const char *container, const struct lb_export_options *options,
		 const struct text_list *since, int fd)
{
	CLEANUP_EXPORT struct export export = { .ctx = ctx, .container = container, .state = STATE_EMPTY };
	int r = state_keep(ctx, container, options ? options->snapshot : NULL, "export", &export.state);

	if (r == 0)
		r = fill_header(&export, options && options->with_base);
	if (r == 0)
		r = read_container(&export, since);
	if (r == 0)
		r = fill_files(&export);
	if (r == 0)
		r = plan_all(&export);
	if (r < 0)
		return r;
	progress(ctx, -1, "sending %s", container);
	return helper_pack(ctx, export.plan.data, options && options->uncompressed, fd);
}

int lb_export(struct lb_context *ctx, const char *container, const struct lb_export_options *options, int fd)
{
	CLEANUP_TEXT_LIST struct text_list since = { 0 };
	int r = CHECK_INPUT(ctx, options, lb_export_options);

	if (r == 0)
		r = name_check(ctx, "container", container);
	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0 && options && options->snapshot)
		r = label_check(ctx, options->snapshot);
	if (r == 0 && options && options->since)
		r = label_check(ctx, options->since);
	if (r < 0)
		return r;
	if (options && options->since && text_list_add(&since, options->since) < 0)
		return fail_memory(ctx);
	r = export_since(ctx, container, options, &since, fd);
	return r < 0 ? fail_wrap(ctx, r, "cannot export container '%s'", container) : 0;
}
