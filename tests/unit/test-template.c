/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/util/cleanup.h"
#include "../../liblayerbox/util/template.h"

static const struct template_variable variables[] = {
	{ .name = "name", .value = "tiger" },
	{ .name = "empty", .value = "" },
	{ .name = "null", .value = NULL },
	{ .name = "lines", .value = "one\ntwo", .multi_line = 1 },
	{ .name = "no-lines", .value = "", .multi_line = 1 },
	{ .name = "braces", .value = "{{name}} ## }}" },
	{ .name = "newline", .value = "a\nlxc.hook.pre-start = /bin/evil" },
	{ .name = "return", .value = "a\rb" },
	{ .name = "tab", .value = "a\tb" },
	{ .name = "escape", .value = "a\x1b[2J" },
	{ .name = "delete", .value = "a\x7f" },
	{ .name = "utf8", .value = "M\xc3\xbcller" },
	{ 0 },
};

static void test_renders(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "plain\n", "plain\n" },
		{ "no newline", "no newline" },
		{ "a {{name}} b\n", "a tiger b\n" },
		{ "{{ name }}{{name}}", "tigertiger" },
		{ "x\n{{empty}}\ny\n", "x\ny\n" },
		{ "x\nkey = {{null}} more\ny\n", "x\ny\n" },
		{ "{{name}} {{empty}} {{name}}\nz", "z" },
		{ "z\n{{empty}}", "z\n" },
		{ "## remark {{unknown}}\na\n##\nb\n", "a\nb\n" },
		{ "# kept\n ## kept\n", "# kept\n ## kept\n" },
		{ "a\n{{lines}}\nb\n", "a\none\ntwo\nb\n" },
		{ "a\n{{no-lines}}\nb\n", "a\nb\n" },
		{ "{{braces}}\n", "{{name}} ## }}\n" },
		{ "{ {name} } }}\n", "{ {name} } }}\n" },
		{ "{{utf8}}", "M\xc3\xbcller" },
		{ "\n\n", "\n\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_FREE char *text = NULL;
		char error[256] = "";

		if (template_render(cases[i][0], "t.conf", variables, &text, error, sizeof error) != 0)
			fail_msg("\"%s\": %s", cases[i][0], error);
		assert_string_equal(text, cases[i][1]);
	}
}

static void test_refuses_with_file_and_line(void **state)
{
	static const char *const cases[][2] = {
		{ "a\n{{unknown}}\n", "t.conf:2: a variable that does not exist: \"{{unknown}}\"" },
		{ "{{}}\n", "t.conf:1: a variable that does not exist" },
		{ "{{nam}}", "t.conf:1: a variable" },
		{ "{{names}}", "t.conf:1: a variable" },
		{ "{{na me}}", "t.conf:1: a variable" },
		{ "## x\n\n{{name", "t.conf:3: a {{ without its }}" },
		{ "{{name\n}}", "t.conf:1: a {{ without its }}" },
		{ "{{newline}}", "t.conf:1: a value with a control character" },
		{ "{{return}}", "a value with a control character" },
		{ "{{tab}}", "a value with a control character" },
		{ "{{escape}}", "a value with a control character" },
		{ "{{delete}}", "a value with a control character" },
		{ "{{empty}} {{unknown}}", "t.conf:1: a variable that does not exist" },
		{ "{{empty}} {{newline}}", "t.conf:1: a value with a control character" },
		{ "{{empty}} {{name", "t.conf:1: a {{ without its }}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = NULL, error[256] = "";

		assert_int_equal(template_render(cases[i][0], "t.conf", variables, &text, error, sizeof error), -EINVAL);
		assert_null(text);
		assert_contains(error, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renders),
		cmocka_unit_test(test_refuses_with_file_and_line),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
