/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"
#include "output.h"

static json_t *describe(const struct lb_base *base, uint64_t own, bool for_people)
{
	const char *const *users = lb_base_get_users(base);
	json_t *names = json_array();
	json_t *object = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s}", "name", lb_base_get_name(base), "generation",
				   (int)lb_base_get_generation(base), "recipe", lb_base_get_recipe(base), "parent",
				   lb_base_get_parent(base), "os", lb_base_get_os(base), "directory",
				   lb_base_get_directory(base));

	for (; users && *users; users++)
		json_array_append_new(names, json_string(*users));
	if (for_people) {
		json_object_set_new(object, "created", json_time(lb_base_get_created(base)));
		json_object_set_new(object, "bytes", json_size(lb_base_get_bytes(base)));
		json_object_set_new(object, "own_bytes", json_size(own));
		json_object_set_new(object, "used_by", json_integer((json_int_t)json_array_size(names)));
	} else {
		json_object_set_new(object, "created", json_integer(lb_base_get_created(base)));
		json_object_set_new(object, "bytes", json_integer((json_int_t)lb_base_get_bytes(base)));
		json_object_set_new(object, "own_bytes", json_integer((json_int_t)own));
	}
	json_object_set_new(object, "containers", names);
	return object;
}

static int run_build(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "mirror", required_argument, NULL, 'm' },
						      { "name", required_argument, NULL, 'n' },
						      { 0 } };
	struct lb_base_options options = { .size = sizeof options };
	int option, r;

	while ((option = next_option(&command_base_build, argc, argv, long_options)) > 0) {
		if (option == 'm')
			options.mirror = optarg;
		else
			options.name = optarg;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_base_build, "give the name of one recipe");
	r = lb_base_build(context, argv[optind], &options);
	if (r < 0)
		return report_failure(context, r);
	say("built base %s", options.name ? options.name : argv[optind]);
	return EXIT_OK;
}

static int run_import(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "format", required_argument, NULL, 'f' }, { 0 } };
	bool oci = false;
	int option, r;

	while ((option = next_option(&command_base_import, argc, argv, long_options)) > 0) {
		if (strcmp(optarg, "oci") != 0)
			return usage_error(&command_base_import, "the only format there is, is oci");
		oci = true;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 2)
		return usage_error(&command_base_import, "give a name, and a directory or an archive");
	r = (oci ? lb_base_import_oci : lb_base_import)(context, argv[optind], argv[optind + 1]);
	if (r < 0)
		return report_failure(context, r);
	say("imported base %s", argv[optind]);
	return EXIT_OK;
}

static int run_list(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "name", "NAME", false },    { "generation", "GEN", true }, { "os", "OS", false },
		{ "bytes", "SIZE", true },    { "own_bytes", "OWN", true },   { "used_by", "CONTAINERS", true },
		{ "created", "CREATED", false }, { "recipe", "RECIPE", false }, { 0 },
	};
	struct lb_base **bases;
	json_t *rows;
	int as_json = json_option(&command_base_list, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	r = lb_base_list_generations(context, NULL, &bases, NULL);
	if (r < 0)
		return report_failure(context, r);
	rows = json_array();
	for (size_t i = 0; bases[i]; i++)
		json_array_append_new(rows, describe(bases[i], lb_base_get_own_bytes(bases[i]), !as_json));
	lb_base_list_free(bases);
	if (as_json || json_array_size(rows))
		show_rows(rows, columns, as_json);
	else
		say("there are no bases yet; build one with `layerbox base build debian-bookworm`");
	json_decref(rows);
	return EXIT_OK;
}

/* What no other generation shares is only known from all of them. */
static uint64_t own_bytes(struct lb_context *context, const struct lb_base *base)
{
	uint64_t bytes = lb_base_get_bytes(base);
	struct lb_base **generations;

	if (lb_base_list_generations(context, lb_base_get_name(base), &generations, NULL) < 0)
		return bytes;
	for (size_t i = 0; generations[i]; i++)
		if (lb_base_get_generation(generations[i]) == lb_base_get_generation(base))
			bytes = lb_base_get_own_bytes(generations[i]);
	lb_base_list_free(generations);
	return bytes;
}

static int run_show(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "name", "Name:", false },	{ "generation", "Generation:", false }, { "os", "OS:", false },
		{ "recipe", "Recipe:", false }, { "parent", "Parent:", false },		{ "bytes", "Size:", false },
		{ "own_bytes", "Own:", false }, { "created", "Created:", false },
		{ "directory", "Directory:", false }, { "containers", "Containers:", false }, { 0 },
	};
	struct lb_base *base;
	json_t *object;
	int as_json = json_option(&command_base_show, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_base_show, "give the name of one base");
	r = lb_base_open(context, argv[optind], &base);
	if (r < 0)
		return report_failure(context, r);
	object = describe(base, own_bytes(context, base), !as_json);
	show_object(object, columns, as_json);
	json_decref(object);
	lb_base_free(base);
	return EXIT_OK;
}

static int run_delete(struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	int r, result = EXIT_OK;

	if (next_option(&command_base_delete, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(&command_base_delete, "give the name of a base");
	for (; optind < argc; optind++) {
		r = lb_base_delete(context, argv[optind]);
		if (r < 0 && result == EXIT_OK)
			result = exit_code(r);
		if (r < 0)
			report_failure(context, r);
		else
			say("deleted base %s", argv[optind]);
	}
	return result;
}

const struct command command_base_build = {
	.name = "base build",
	.arguments = "RECIPE [--name NAME] [--mirror URL]",
	.summary = "Build a base from a recipe: debian-bookworm, debian-trixie, busybox, or your own",
	.help = "  RECIPE         a recipe by name, or a path with a slash in it\n"
		"  --name NAME    call the base something else than the recipe\n"
		"  --mirror URL   the Debian mirror to take packages from\n",
	.run = run_build,
};

const struct command command_base_import = {
	.name = "base import",
	.arguments = "NAME DIRECTORY|ARCHIVE | --format oci NAME DIRECTORY[:TAG]",
	.summary = "Make a base from a directory, a tar archive or an OCI image",
	.help = "  --format oci   from an image of an OCI image layout; TAG says which, if there are several\n"
		"  It is copied and made generic: no machine-id, no host keys, no caches.\n",
	.run = run_import,
};

const struct command command_base_list = {
	.name = "base list",
	.arguments = "[--json]",
	.summary = "Show the bases and their generations",
	.help = "  --json         an array of objects with name, generation, os, recipe, parent, bytes, own_bytes,\n"
		"                 created, directory, containers: one for each generation\n",
	.run = run_list,
};

const struct command command_base_show = {
	.name = "base show",
	.arguments = "NAME[@GENERATION] [--json]",
	.summary = "Show one base and the containers on it",
	.run = run_show,
};

const struct command command_base_delete = {
	.name = "base delete",
	.arguments = "NAME...",
	.summary = "Remove bases that no container stands on",
	.run = run_delete,
};
