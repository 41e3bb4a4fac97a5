/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers as OCI images, and bases from them. A helper program reads and writes the images; what a base's generation
 * became as a layer is noted beside the generation, so that the next container on it in the same directory shares it.
 */
#include <sys/stat.h>
#include <time.h>

#include "../adapters/rights.h"
#include "../base/generation.h"
#include "../base/import.h"
#include "../events/event.h"
#include "../snapshot/merge.h"
#include "../snapshot/state.h"
#include "../util/file.h"
#include "../util/spawn.h"

#define HELPER PKGLIBEXECDIR "/layerbox-oci"
#define BASE_LAYER_KEY "base_layer = "

enum { TAG_MAX = 128, BASE_LAYER_MAX = 256, OUTPUT_NO_SPACE = 2, OUTPUT_BAD_IMAGE = 3 };

static int run_helper(struct lb_context *ctx, const char *const *argv, const struct spawn_options *options,
		      const char *what, char **ret_output)
{
	CLEANUP_FREE char *output = NULL;
	int status, code, r = spawn_run(argv, options, &status, &output);

	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM, "the program " HELPER " is missing; install layerbox again");
	if (r < 0)
		return fail_errno(ctx, r, "cannot run " HELPER);
	if (status != 0) {
		code = status == OUTPUT_NO_SPACE    ? -ENOSPC
		       : status == OUTPUT_BAD_IMAGE ? -LB_ERR_BAD_STREAM
						    : -LB_ERR_PROGRAM_FAILED;
		return fail(ctx, code, "cannot %s: %.1000s", what,
			    *output ? text_printable(text_trim(output)) : "the helper program was killed");
	}
	*ret_output = TAKE_PTR(output);
	return 0;
}

/* ---- export ---- */

static int check_tag(struct lb_context *ctx, const char *tag)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(tag);

	if (length > 0 && length <= TAG_MAX && strspn(tag, allowed) == length && *tag != '.' && *tag != '-')
		return 0;
	return fail(ctx, -LB_ERR_BAD_NAME,
		    "a tag has 1 to %d letters, digits, '_', '.' and '-', and begins with none of the last two",
		    TAG_MAX);
}

/* The container's own layers as one: the only one there is, or a farm of them. */
static int open_own_layer(const struct state *state, struct layer_draft *draft, int *ret_fd)
{
	struct merge_layer layers[CHAIN_MAX + 1];
	size_t count = state->trees.count - 1;
	int r;

	*ret_fd = count > 0 ? state->trees.fds[0] : -1;
	if (count < 2)
		return 0;
	r = layer_draft_begin(state->ctx, NULL, draft);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		layers[i] = (struct merge_layer){ .fd = state->trees.fds[i] };
	r = layers_merge(state->ctx, layers, count, draft->tree_fd);
	*ret_fd = draft->tree_fd;
	return r;
}

/* What the generation was as a layer when it was exported last; "" where nobody knows. */
static char *read_base_layer(const struct state *state)
{
	char *text;

	if (file_read(state->generation_fd, GENERATION_OCI_LAYER, BASE_LAYER_MAX, &text, NULL) < 0)
		return strdup("");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Only a memory: where it cannot be kept, the next export packs the base once more. */
static void note_base_layer(const struct state *state, const char *before, char *output)
{
	const char *layer = text_after(output, BASE_LAYER_KEY);
	int r = 0;

	if (!layer)
		return;
	output[strcspn(output, "\n")] = '\0';
	if (!text_equal(layer, before) && strlen(layer) < BASE_LAYER_MAX)
		r = file_write(state->generation_fd, GENERATION_OCI_LAYER, layer, strlen(layer), 0600, FILE_LAZY);
	if (r < 0)
		log_message(state->ctx, LB_LOG_INFO, "what base %s@%u is as a layer could not be noted: %s",
			    state->snapshot.base, state->snapshot.generation, strerrordesc_np(-r));
}

/* What the helper reads on its standard input. */
static int describe(const struct state *state, const char *tag, const char *base_layer, char **ret_text)
{
	const struct snapshot_record *snapshot = &state->snapshot;
	CLEANUP(generation_record_free) struct generation_record record = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	time_t created = (time_t)snapshot->created;
	char when[64];
	struct tm tm;
	int r = generation_read(state->ctx, state->generation_fd, snapshot->base, snapshot->generation, &record);

	if (r < 0)
		return r;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&created, &tm));
	buffer_format(&text, "tag = %s\ncreated = %s\nstop_signal = %s\nbase = %s@%u\ncontainer = %s\n", tag, when,
		      record.halt_signal, snapshot->base, snapshot->generation, state->container);
	if (*base_layer)
		buffer_format(&text, BASE_LAYER_KEY "%s\n", base_layer);
	*ret_text = buffer_finish(&text);
	return *ret_text ? 0 : fail_memory(state->ctx);
}

static int export_trees(const struct state *state, int layer_fd, const char *directory, const char *tag)
{
	int base_fd = state->trees.fds[state->trees.count - 1],
	    inherited[] = { base_fd, layer_fd < 0 ? 0 : layer_fd, 0 };
	CLEANUP_FREE char *base_layer = read_base_layer(state);
	CLEANUP_FREE char *description = NULL;
	CLEANUP_FREE char *what = text_format("export container '%s'", state->container);
	CLEANUP_FREE char *output = NULL;
	char base[16], layer[16] = "-";
	const char *const argv[] = { HELPER, "export", "--", directory, base, layer, NULL };
	int r = base_layer && what ? describe(state, tag, base_layer, &description) : fail_memory(state->ctx);
	const struct spawn_options options = { .input = description, .inherited = inherited };

	if (r < 0)
		return r;
	snprintf(base, sizeof base, "%d", base_fd);
	if (layer_fd >= 0)
		snprintf(layer, sizeof layer, "%d", layer_fd);
	progress(state->ctx, -1, "writing container '%s' to %s", state->container, directory);
	r = run_helper(state->ctx, argv, &options, what, &output);
	if (r == 0)
		note_base_layer(state, base_layer, output);
	return r;
}

int lb_export_oci(struct lb_context *ctx, const char *container, const char *snapshot, const char *directory,
		  const char *tag)
{
	CLEANUP_STATE struct state state = STATE_EMPTY;
	CLEANUP_LAYER_DRAFT struct layer_draft draft = LAYER_DRAFT_EMPTY;
	int layer_fd = -1, r = name_check(ctx, "container", container);

	if (r == 0)
		r = check_tag(ctx, tag ? tag : container);
	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = state_keep(ctx, container, snapshot, "export", &state);
	if (r == 0)
		r = open_own_layer(&state, &draft, &layer_fd);
	return r < 0 ? r : export_trees(&state, layer_fd, directory, tag ? tag : container);
}

/* ---- import ---- */

struct image_source {
	char *directory;
	const char *tag;              /* "" for the only one */
};

static void image_source_free(struct image_source *source)
{
	free(source->directory);
}

/* DIRECTORY or DIRECTORY:TAG; a directory that has a colon in its name is meant as such. */
static int split_source(struct lb_context *ctx, const char *text, struct image_source *ret_source)
{
	struct image_source source = { .directory = strdup(text), .tag = "" };
	struct stat st;
	char *colon = source.directory ? strrchr(source.directory, ':') : NULL;

	if (!source.directory)
		return fail_memory(ctx);
	if (colon && !strchr(colon, '/') && stat(text, &st) < 0) {
		*colon = '\0';
		source.tag = colon + 1;
	}
	*ret_source = source;
	if (*source.tag || !colon || *colon)
		return 0;
	return fail(ctx, -LB_ERR_BAD_VALUE, "there is no tag behind the colon of %s", text);
}

static int unpack_image(struct lb_context *ctx, const char *source, const struct staging *staging, void *data)
{
	const struct image_source *image = data;
	const char *const argv[] = { HELPER, "import", "--", image->directory, image->tag, staging->tree, NULL };
	const struct spawn_options options = { 0 };
	CLEANUP_FREE char *what = text_format("import %s", source);
	CLEANUP_FREE char *output = NULL;

	if (!what)
		return fail_memory(ctx);
	progress(ctx, -1, "unpacking %s", source);
	return run_helper(ctx, argv, &options, what, &output);
}

static int import_image(struct lb_context *ctx, const char *name, const char *text)
{
	CLEANUP(image_source_free) struct image_source source = { 0 };
	int r = name_check(ctx, "base", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = split_source(ctx, text, &source);
	return r < 0 ? r : base_import_with(ctx, name, text, unpack_image, &source);
}

int lb_base_import_oci(struct lb_context *ctx, const char *name, const char *text)
{
	return event_of(ctx, "base-import", "", import_image(ctx, name, text), name);
}
