/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe.h"

#include <ctype.h>
#include <fcntl.h>

#include "../core/store.h"
#include "../util/file.h"
#include "../util/keyfile.h"

#define RECIPE_SUFFIX ".recipe"

enum { RECIPE_BYTES_MAX = 1 << 20, INCLUDE_DEPTH_MAX = 4 };

/* One file being read; an included one is read in the middle of another. */
struct reader {
	struct lb_context *ctx;
	struct recipe *recipe;
	int depth;
	char why[1024];               /* a sentence that on_key() made itself */
};

bool recipe_signal_is_valid(const char *name)
{
	const char *rest = text_after(name, "SIG");
	size_t n = rest ? strlen(rest) : 0;

	return n >= 2 && n <= 12 && isupper((unsigned char)*rest) &&
	       strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-") == n;
}

/* Words become arguments of other programs: none may look like an option or hold anything unusual. */
static bool word_is_plain(const char *word)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.:~_@/-";

	return (isalnum((unsigned char)*word) || *word == '/') && strspn(word, allowed) == strlen(word);
}

static const char *take_word(char **member, const char *value)
{
	return word_is_plain(value) ? keyfile_take(member, value) : "must be one word of letters, digits and +.:~_@/-";
}

static const char *take_signal(char **member, const char *value)
{
	return recipe_signal_is_valid(value) ? keyfile_take(member, value)
					     : "must be a signal's name, such as SIGRTMIN+3";
}

static const char *take_words(struct text_list *list, const char *value)
{
	size_t first = list->count;

	if (text_list_add_words(list, value) < 0)
		return "could not be kept: out of memory";
	if (list->count == first)
		return "must name something";
	for (size_t i = first; i < list->count; i++)
		if (!word_is_plain(list->items[i]))
			return "must be words of letters, digits and +.:~_@/-, separated by spaces";
	return NULL;
}

static const char *set_method(struct reader *reader, const char *value)
{
	if (text_equal(value, "debian"))
		reader->recipe->method = RECIPE_METHOD_DEBIAN;
	else if (text_equal(value, "busybox"))
		reader->recipe->method = RECIPE_METHOD_BUSYBOX;
	else if (text_equal(value, "stack"))
		reader->recipe->method = RECIPE_METHOD_STACK;
	else
		return "must be debian, busybox or stack";
	return NULL;
}

static const char *set_parent(struct reader *reader, const char *value)
{
	return name_is_valid(value) ? keyfile_take(&reader->recipe->parent, value) : "must be the name of a base";
}

static const char *set_files(struct reader *reader, const char *value)
{
	if (!name_is_valid(value))
		return "must be the name of a directory below bases/files";
	return text_list_add(&reader->recipe->files, value) < 0 ? "could not be kept: out of memory" : NULL;
}

static const char *set_mask(struct reader *reader, const char *value)
{
	const struct text_list *masks = &reader->recipe->masks;
	size_t first = masks->count;
	const char *why = take_words(&reader->recipe->masks, value);

	for (size_t i = first; !why && i < masks->count; i++)
		if (strchr(masks->items[i], '/') || !strchr(masks->items[i], '.'))
			why = "must be names of systemd units, such as dev-hugepages.mount";
	return why;
}

static const char *set_run(struct reader *reader, const char *value)
{
	if (*value != '/')
		return "must begin with the absolute path of a program in the new tree";
	return text_list_add(&reader->recipe->commands, value) < 0 ? "could not be kept: out of memory" : NULL;
}

static int parse(struct lb_context *ctx, struct recipe *recipe, char *text, const char *path, int depth);

static const char *set_include(struct reader *reader, const char *value)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *path = NULL;
	int r;

	if (strchr(value, '/') || *value == '.')
		return "must be the name of a file in bases/";
	if (reader->depth >= INCLUDE_DEPTH_MAX)
		return "is one include too deep: does a part include itself?";
	r = store_read_data(reader->ctx, STORE_RECIPES, value, &text, &path);
	if (r == 0)
		r = parse(reader->ctx, reader->recipe, text, path, reader->depth + 1);
	if (r == 0)
		return NULL;
	snprintf(reader->why, sizeof reader->why, "failed: %.900s", reader->ctx->error);
	return reader->why;
}

static const char *on_key(const char *key, const char *value, void *userdata)
{
	struct reader *reader = userdata;
	struct recipe *recipe = reader->recipe;
	const struct {
		const char *key;
		char **text, **word, **signal;
		struct text_list *words;
		const char *(*set)(struct reader *reader, const char *value);
	} keys[] = {
		{ .key = "description", .text = &recipe->description },
		{ .key = "method", .set = set_method },
		{ .key = "parent", .set = set_parent },
		{ .key = "include", .set = set_include },
		{ .key = "suite", .word = &recipe->suite },
		{ .key = "updates", .word = &recipe->updates },
		{ .key = "security", .word = &recipe->security },
		{ .key = "variant", .word = &recipe->variant },
		{ .key = "keyring", .word = &recipe->keyring },
		{ .key = "components", .words = &recipe->components },
		{ .key = "packages", .words = &recipe->packages },
		{ .key = "files", .set = set_files },
		{ .key = "mask", .set = set_mask },
		{ .key = "run", .set = set_run },
		{ .key = "halt_signal", .signal = &recipe->halt_signal },
		{ .key = "reboot_signal", .signal = &recipe->reboot_signal },
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (!text_equal(keys[i].key, key))
			continue;
		if (keys[i].set)
			return keys[i].set(reader, value);
		if (keys[i].words)
			return take_words(keys[i].words, value);
		if (keys[i].signal)
			return take_signal(keys[i].signal, value);
		return keys[i].word ? take_word(keys[i].word, value) : keyfile_take(keys[i].text, value);
	}
	return "is not a key of a recipe";
}

static int parse(struct lb_context *ctx, struct recipe *recipe, char *text, const char *path, int depth)
{
	struct reader reader = { .ctx = ctx, .recipe = recipe, .depth = depth };
	char error[ERROR_MAX];

	if (keyfile_parse(text, path, on_key, &reader, error, sizeof error) < 0)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error);
	return 0;
}

/* What every recipe has, said once here rather than in each file. */
static int complete(struct lb_context *ctx, struct recipe *recipe, const char *path)
{
	if (recipe->parent && recipe->method == RECIPE_METHOD_NONE)
		recipe->method = RECIPE_METHOD_STACK;
	if (recipe->method == RECIPE_METHOD_STACK && !recipe->parent)
		return fail(ctx, -LB_ERR_BAD_CONFIG,
			    "%s does not say what the stack stands on: it needs `parent = debian-bookworm` or another "
			    "base",
			    path);
	if (recipe->method != RECIPE_METHOD_STACK && recipe->parent)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s has a parent, and a method that does not need one", path);
	if (recipe->method == RECIPE_METHOD_STACK)
		return 0;
	if (recipe->method == RECIPE_METHOD_NONE)
		return fail(ctx, -LB_ERR_BAD_CONFIG,
			    "%s does not say how the base is built: it needs `method = debian`, `method = busybox`, or "
			    "the `parent` of a stack",
			    path);
	if (recipe->method == RECIPE_METHOD_DEBIAN && !recipe->suite)
		return fail(ctx, -LB_ERR_BAD_CONFIG,
			    "%s does not say which Debian: it needs `suite = bookworm` or another", path);
	if (recipe->method == RECIPE_METHOD_DEBIAN && recipe->components.count == 0 &&
	    text_list_add(&recipe->components, "main") < 0)
		return fail_memory(ctx);
	if (!recipe->halt_signal && keyfile_take(&recipe->halt_signal, "SIGPWR"))
		return fail_memory(ctx);
	if (!recipe->reboot_signal && keyfile_take(&recipe->reboot_signal, "SIGINT"))
		return fail_memory(ctx);
	return 0;
}

/* ---- finding one ---- */

static void list_recipes(const char *directory, struct text_list *names)
{
	CLEANUP_DIR DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *suffix = strrchr(entry->d_name, '.');

		if (!suffix || !text_equal(suffix, RECIPE_SUFFIX))
			continue;
		*suffix = '\0';
		if (name_is_valid(entry->d_name) && !text_list_has(names, entry->d_name))
			text_list_add(names, entry->d_name);
	}
}

static int no_recipe(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *own = store_path(ctx, STORE_RECIPES);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_BUFFER struct buffer list = { 0 };

	if (own)
		list_recipes(own, &names);
	list_recipes(PKGDATADIR "/" STORE_RECIPES, &names);
	text_list_sort(&names);
	for (size_t i = 0; i < names.count; i++)
		buffer_format(&list, "%s%s", i ? ", " : "", names.items[i]);
	return fail(ctx, -LB_ERR_NO_BASE, "there is no recipe '%.80s'; there %s %.500s (in %s and %s)", name,
		    names.count == 1 ? "is" : "are", list.length ? list.data : "none", own ? own : "ROOT/bases",
		    PKGDATADIR "/" STORE_RECIPES);
}

/* /some/where/shop.recipe is the recipe "shop". */
static int name_from_path(struct lb_context *ctx, const char *path, char name[NAME_LENGTH_MAX + 1])
{
	const char *base = strrchr(path, '/') + 1;
	size_t n = strlen(base), suffix = strlen(RECIPE_SUFFIX);

	if (n > suffix && text_equal(base + n - suffix, RECIPE_SUFFIX))
		n -= suffix;
	if (n <= NAME_LENGTH_MAX) {
		memcpy(name, base, n);
		name[n] = '\0';
		if (name_is_valid(name))
			return 0;
	}
	return fail(ctx, -LB_ERR_BAD_NAME,
		    "the recipe %s gives no name for a base: its file name must be NAME.recipe, "
		    "NAME of lower-case letters, digits and inner dashes",
		    path);
}

static int read_recipe(struct lb_context *ctx, const char *text, char name[NAME_LENGTH_MAX + 1], char **ret_content,
		       char **ret_path)
{
	CLEANUP_FREE char *file = NULL;
	int r;

	if (strchr(text, '/')) {
		r = name_from_path(ctx, text, name);
		if (r < 0)
			return r;
		*ret_path = strdup(text);
		if (!*ret_path)
			return fail_memory(ctx);
		r = file_read(AT_FDCWD, text, RECIPE_BYTES_MAX, ret_content, NULL);
		if (r == -ENOENT)
			return fail(ctx, -LB_ERR_NO_BASE, "there is no recipe %s", text);
		return r < 0 ? fail_errno(ctx, r, "cannot read the recipe %s", text) : 0;
	}
	if (!name_is_valid(text))
		return no_recipe(ctx, text);
	strcpy(name, text);
	file = text_format("%s" RECIPE_SUFFIX, name);
	if (!file)
		return fail_memory(ctx);
	r = store_read_data(ctx, STORE_RECIPES, file, ret_content, ret_path);
	return r == -ENOENT ? no_recipe(ctx, name) : r;
}

int recipe_load(struct lb_context *ctx, const char *text, struct recipe *ret_recipe)
{
	CLEANUP_FREE char *content = NULL;
	CLEANUP_FREE char *path = NULL;
	struct recipe recipe = { 0 };
	int r;

	r = read_recipe(ctx, text, recipe.name, &content, &path);
	if (r == 0)
		r = parse(ctx, &recipe, content, path, 0);
	if (r == 0)
		r = complete(ctx, &recipe, path);
	if (r < 0) {
		recipe_free(&recipe);
		return r;
	}
	*ret_recipe = recipe;
	return 0;
}

int recipe_load_part(struct lb_context *ctx, const char *name, struct recipe *ret_recipe)
{
	CLEANUP_FREE char *file = text_format("%s.part", name);
	CLEANUP_FREE char *content = NULL;
	CLEANUP_FREE char *path = NULL;
	struct recipe recipe = { 0 };
	int r;

	if (!file)
		return fail_memory(ctx);
	r = store_read_data(ctx, STORE_RECIPES, file, &content, &path);
	if (r == 0)
		r = parse(ctx, &recipe, content, path, 0);
	if (r < 0) {
		recipe_free(&recipe);
		return r;
	}
	*ret_recipe = recipe;
	return 0;
}

void recipe_free(struct recipe *recipe)
{
	free(recipe->description);
	free(recipe->parent);
	free(recipe->suite);
	free(recipe->variant);
	free(recipe->updates);
	free(recipe->security);
	free(recipe->keyring);
	free(recipe->halt_signal);
	free(recipe->reboot_signal);
	text_list_free(&recipe->components);
	text_list_free(&recipe->packages);
	text_list_free(&recipe->files);
	text_list_free(&recipe->masks);
	text_list_free(&recipe->commands);
	*recipe = (struct recipe){ 0 };
}
