/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recipes: what they may say, where they are found, and what their mistakes are called. */
#include "unit.h"

#include "../../liblayerbox/base/recipe.h"

static struct lb_context *ctx;
static char root[4096];

static void put_recipe(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof path, "bases/%s", name);
	put_file(path, text);
}

/* What a recipe's text is refused with; "" when it is taken. */
static const char *refusal(const char *text)
{
	struct recipe recipe = { 0 };
	int r;

	put_recipe("tried.recipe", text);
	r = recipe_load(ctx, "tried", &recipe);
	recipe_free(&recipe);
	if (r == 0)
		return "";
	assert_int_equal(r, -LB_ERR_BAD_CONFIG);
	return lb_context_error(ctx);
}

static void test_complete(void **state)
{
	struct recipe recipe = { 0 };

	(void)state;
	put_recipe("shop.recipe",
		   "description = A shop\nmethod = debian\nsuite = bookworm\npackages = a b\n"
		   "packages = c++\nmask = x.mount y.service\nrun = /bin/true one two\nfiles = one\nfiles = two\n"
		   "halt_signal = SIGRTMIN+3\nsecurity = bookworm-security\n");
	assert_int_equal(recipe_load(ctx, "shop", &recipe), 0);
	assert_string_equal(recipe.name, "shop");
	assert_int_equal(recipe.method, RECIPE_METHOD_DEBIAN);
	assert_string_equal(recipe.suite, "bookworm");
	assert_null(recipe.updates);
	assert_int_equal(recipe.packages.count, 3);
	assert_string_equal(recipe.packages.items[2], "c++");
	assert_int_equal(recipe.masks.count, 2);
	assert_int_equal(recipe.files.count, 2);
	assert_int_equal(recipe.commands.count, 1);
	assert_string_equal(recipe.commands.items[0], "/bin/true one two");
	assert_string_equal(recipe.halt_signal, "SIGRTMIN+3");
	recipe_free(&recipe);
	recipe_free(&recipe);
}

static void test_defaults(void **state)
{
	struct recipe recipe = { 0 };

	(void)state;
	put_recipe("small.recipe", "method = debian\nsuite = sid\n");
	assert_int_equal(recipe_load(ctx, "small", &recipe), 0);
	assert_int_equal(recipe.components.count, 1);
	assert_string_equal(recipe.components.items[0], "main");
	assert_string_equal(recipe.halt_signal, "SIGPWR");
	assert_string_equal(recipe.reboot_signal, "SIGINT");
	recipe_free(&recipe);
}

static void test_path(void **state)
{
	struct recipe recipe = { 0 };

	(void)state;
	put_file("./elsewhere.recipe", "method = busybox\n");
	assert_int_equal(recipe_load(ctx, "./elsewhere.recipe", &recipe), 0);
	assert_string_equal(recipe.name, "elsewhere");
	recipe_free(&recipe);
	put_file("./Bad Name.recipe", "method = busybox\n");
	assert_int_equal(recipe_load(ctx, "./Bad Name.recipe", &recipe), -LB_ERR_BAD_NAME);
	assert_int_equal(recipe_load(ctx, "./missing.recipe", &recipe), -LB_ERR_NO_BASE);
	assert_contains(lb_context_error(ctx), "./missing.recipe");
}

static void test_unknown(void **state)
{
	struct recipe recipe = { 0 };

	(void)state;
	put_recipe("aaa.recipe", "method = busybox\n");
	assert_int_equal(recipe_load(ctx, "nothing", &recipe), -LB_ERR_NO_BASE);
	assert_contains(lb_context_error(ctx), "there is no recipe 'nothing'");
	assert_contains(lb_context_error(ctx), "aaa");
	assert_int_equal(recipe_load(ctx, "..", &recipe), -LB_ERR_NO_BASE);
}

static void test_include(void **state)
{
	struct recipe recipe = { 0 };

	(void)state;
	put_recipe("both.part", "packages = p1\nhalt_signal = SIGUSR2\ninclude = deeper.part\n");
	put_recipe("deeper.part", "mask = a.service\n");
	put_recipe("uses.recipe", "method = busybox\npackages = p0\ninclude = both.part\nhalt_signal = SIGINT\n");
	assert_int_equal(recipe_load(ctx, "uses", &recipe), 0);
	assert_int_equal(recipe.packages.count, 2);
	assert_string_equal(recipe.masks.items[0], "a.service");
	assert_string_equal(recipe.halt_signal, "SIGINT");
	recipe_free(&recipe);
	assert_int_equal(recipe_load_part(ctx, "both", &recipe), 0);
	assert_int_equal(recipe.method, RECIPE_METHOD_NONE);
	assert_string_equal(recipe.halt_signal, "SIGUSR2");
	recipe_free(&recipe);
}

static void test_stack(void **state)
{
	struct recipe recipe = { 0 };

	(void)state;
	put_recipe("stack.recipe", "parent = debian-bookworm\npackages = redis\n");
	assert_int_equal(recipe_load(ctx, "stack", &recipe), 0);
	assert_int_equal(recipe.method, RECIPE_METHOD_STACK);
	assert_string_equal(recipe.parent, "debian-bookworm");
	assert_null(recipe.halt_signal); /* the parent's */
	recipe_free(&recipe);
}

static void test_include_mistakes(void **state)
{
	(void)state;
	put_recipe("loop.part", "include = loop.part\n");
	put_recipe("wrong.part", "# a remark\nnonsense = 1\n");
	assert_contains(refusal("include = loop.part\n"), "does a part include itself?");
	assert_contains(refusal("method = busybox\ninclude = wrong.part\n"), "tried.recipe:2: include failed: ");
	assert_contains(refusal("method = busybox\ninclude = wrong.part\n"), "wrong.part:2: nonsense is not a key");
	assert_contains(refusal("include = missing.part\n"), "missing.part");
	assert_contains(refusal("include = ../outside\n"), "must be the name of a file in bases/");
}

static void test_mistakes(void **state)
{
	(void)state;
	assert_contains(refusal("description = nothing else\n"), "needs `method = debian`");
	assert_contains(refusal("method = debian\n"), "needs `suite = bookworm`");
	assert_contains(refusal("method = gentoo\n"), "tried.recipe:1: method must be debian, busybox or stack");
	assert_contains(refusal("method = busybox\npackages = ok --dpkgopt=x\n"),
			"tried.recipe:2: packages must be words");
	assert_contains(refusal("packages = a;b\n"), "must be words");
	assert_contains(refusal("packages =\n"), "must name something");
	assert_contains(refusal("method = stack\n"), "needs `parent = debian-bookworm`");
	assert_contains(refusal("method = busybox\nparent = other\n"), "a method that does not need one");
	assert_contains(refusal("parent = ../other\n"), "tried.recipe:1: parent must be the name of a base");
	assert_contains(refusal("suite = two words\n"), "must be one word");
	assert_contains(refusal("suite = -x\n"), "must be one word");
	assert_contains(refusal("mask = a/x.service\n"), "must be names of systemd units");
	assert_contains(refusal("mask = plain\n"), "must be names of systemd units");
	assert_contains(refusal("files = ../etc\n"), "must be the name of a directory");
	assert_contains(refusal("run = systemctl enable x\n"), "must begin with the absolute path");
	assert_contains(refusal("halt_signal = 9\n"), "must be a signal's name");
	assert_contains(refusal("size = 3\n"), "is not a key of a recipe");
	assert_string_equal(refusal("method = busybox\n"), "");
}

static void test_signals(void **state)
{
	(void)state;
	assert_true(recipe_signal_is_valid("SIGPWR"));
	assert_true(recipe_signal_is_valid("SIGRTMIN+3"));
	assert_true(recipe_signal_is_valid("SIGRTMAX-14"));
	assert_false(recipe_signal_is_valid("PWR"));
	assert_false(recipe_signal_is_valid("SIG"));
	assert_false(recipe_signal_is_valid("SIGPWR\nlxc.hook.start = /x"));
	assert_false(recipe_signal_is_valid("SIGPWR "));
}

/* The installed recipes, as they lie in the sources. */
static void test_installed(void **state)
{
	static const char *const names[] = { "busybox", "debian-bookworm", "debian-trixie" };
	const char *sources = getenv("abs_top_srcdir");

	(void)state;
	if (!sources)
		skip();
	assert_int_equal(rename("bases", "bases.kept"), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct recipe recipe = { 0 };
		char path[4096];

		snprintf(path, sizeof path, "%s/bases", sources);
		unlink("bases");
		assert_int_equal(symlink(path, "bases"), 0);
		if (recipe_load(ctx, names[i], &recipe) < 0)
			fail_msg("%s", lb_context_error(ctx));
		assert_non_null(recipe.description);
		assert_true(recipe.files.count > 0);
		recipe_free(&recipe);
	}
	unlink("bases");
	assert_int_equal(rename("bases.kept", "bases"), 0);
}

static int enter(void **state)
{
	struct lb_context_options options = { .size = sizeof options, .root = root };

	if (scratch_enter(state) < 0 || !getcwd(root, sizeof root) || mkdir("bases", 0755) < 0)
		return -1;
	put_file("layerbox.conf", "");
	options.config_file = "layerbox.conf";
	return lb_context_new(&options, &ctx);
}

static int leave(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),  cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_path),      cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_include),   cmocka_unit_test(test_include_mistakes),
		cmocka_unit_test(test_mistakes),  cmocka_unit_test(test_signals),
		cmocka_unit_test(test_installed), cmocka_unit_test(test_stack),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
