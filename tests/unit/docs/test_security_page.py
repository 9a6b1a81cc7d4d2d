"""The page on security: each of its sentences has a test, which is named here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

READING = "tests/unit/sdk/results/test_tampering.py"
STORED = "tests/unit/sdk/results/test_stored_source.py"
RECORDS = "tests/unit/sdk/results/test_records.py"
REPLAYS = "tests/unit/sdk/reruns/test_replaying.py"
ROLLBACK = "tests/unit/sdk/versions/test_rollback.py"
FINDING = "tests/unit/sdk/versions/test_finding.py"
EXPORTS = "tests/unit/sdk/versions/test_export_folder.py"
WORKER = "tests/unit/execution/test_tampering.py"
CODE = "tests/unit/execution/test_function_archive.py"
VALUES = "tests/unit/spec/test_run_values.py"
KEYS = "tests/unit/test_protected_keys.py"
SANDBOX = "tests/unit/execution/test_sandbox.py"
PAGES = "tests/unit/ui"
BROWSER = "tests/integration/browser"
REDACTOR = "tests/unit/spec/test_redactor.py"
NOTIFIERS = "tests/unit/operators/test_notifiers.py"
FOLDER = "tests/unit/storage/test_private_folder.py"

# The beginning of each item and each row of a table -> the tests that show it.
TESTS = {
    "whoever publishes": [
        "tests/unit/operators/test_aqueduct.py::test_a_chain_passes_manifests_and_only_short_values"
    ],
    "whoever may write `published/`": [f"{ROLLBACK}::test_whoever_may_write_the_record_decides"],
    "The record of a flow in": [
        f"{ROLLBACK}::test_whoever_may_write_the_record_decides",
        f"{FINDING}::test_a_number_is_what_the_record_says",
        f"{FINDING}::test_a_version_that_was_changed",
        "tests/unit/sdk/publishing/test_flow_record.py::test_the_next_record_remembers_this_version_first",
    ],
    "A version that the record does not know": [
        f"{ROLLBACK}::test_what_the_record_does_not_know_needs_trust",
        f"{ROLLBACK}::test_a_forged_version_is_not_put_back_by_its_number",
        "tests/unit/sdk/publishing/test_flow_copy.py::test_what_the_record_does_not_know_needs_trust",
    ],
    "An exported folder is published": [
        f"{EXPORTS}::test_other_text_than_that_of_the_code",
        f"{EXPORTS}::test_code_that_was_exchanged_after_the_review",
        f"{EXPORTS}::test_links_are_not_followed",
    ],
    "whoever triggers runs in Airflow": [f"{WORKER}::test_a_trigger_that_names_a_pickle"],
    "whoever triggers runs and may write": [f"{WORKER}::test_a_pickle_needs_leave"],
    "whoever may write elsewhere": [
        f"{WORKER}::test_what_is_in_the_bucket_and_was_replaced",
        f"{READING}::test_where_airflow_knows_the_run_nothing_is_believed",
        f"{READING}::test_where_airflow_has_forgotten_the_run_nothing_is_run",
    ],
    "whoever may write Airflow's database": [f"{STORED}::test_values_come_back"],
    "`run.replay(...)` runs": [
        f"{REPLAYS}::test_code_that_airflow_does_not_vouch_for",
        f"{REPLAYS}::test_code_that_was_changed",
        f"{REPLAYS}::test_requirements_that_airflow_does_not_vouch_for",
        "tests/unit/sdk/reruns/test_replay_isolated.py"
        "::test_a_function_with_requirements_of_its_own_installs_no_others",
    ],
    "whoever reads results": [f"{READING}::test_the_truth"],
    "A spec pins": [f"{CODE}::test_an_archive_with_another_digest_is_refused_and_not_kept"],
    "A default of a parameter": [f"{WORKER}::test_what_is_in_the_bucket_and_was_replaced"],
    "Specs of the original's dialect": [f"{WORKER}::test_specs_of_the_original_pin_nothing"],
    "A value that `conf` names": [
        f"{WORKER}::test_a_trigger_that_names_a_pickle",
        f"{VALUES}::test_stored_values_must_be_of_the_parameters_type",
    ],
    "A number, a truth value, text, bytes, an image or a table": [
        f"{VALUES}::test_no_parameter_of_plain_data_is_given_a_pickle",
        f"{WORKER}::test_a_trigger_that_names_a_table_with_pickles",
    ],
    "A parameter of type `picklable`": [
        f"{VALUES}::test_pickles_of_the_types_that_have_them_need_leave",
        "tests/unit/execution/test_given_values.py::test_a_pickle_is_read_where_its_reader_runs",
    ],
    "The digest covers": [
        f"{VALUES}::test_the_digest_covers_how_a_value_is_encoded",
        f"{WORKER}::test_bytes_that_are_named_as_a_pickle",
    ],
    "Writing `flows/*/values/` alone": [f"{WORKER}::test_what_is_in_the_bucket_and_was_replaced"],
    "`[aqueduct] pickled_parameters = False`": [f"{WORKER}::test_a_pickle_needs_leave"],
    "A task reads the artifacts": [f"{WORKER}::test_what_is_in_the_bucket_and_was_replaced"],
    "An extract of files": ["tests/runner/test_file_formats.py::test_plain_pickles_are_read_too"],
    "A load of files": [
        f"{WORKER}::test_a_load_into_what_workers_run",
        f"{WORKER}::test_a_spec_whose_load_writes_there_is_refused",
        f"{KEYS}::test_what_is_below_a_prefix_of_the_product",
        "tests/unit/sdk/resources/test_files_resource.py::test_nothing_is_saved_where_workers_read_what_they_run",
    ],
    "`run.artifact(...).get()`": [
        f"{READING}::test_where_airflow_knows_the_run_nothing_is_believed",
        f"{RECORDS}::test_a_task_is_asked_for_once",
    ],
    "They check the spec": [f"{READING}::test_where_airflow_knows_the_run_nothing_is_believed"],
    "What an operator wrote": [f"{RECORDS}::test_operators_of_a_task_that_runs"],
    "What differs from its digest": [f"{STORED}::test_bytes_that_the_run_has_not_written"],
    "Airflow may have forgotten": [
        f"{RECORDS}::test_runs_that_airflow_does_not_know_are_asked_for_once",
        f"{RECORDS}::test_a_task_whose_xcom_is_gone",
        f"{RECORDS}::test_an_airflow_that_is_away",
        f"{RECORDS}::test_without_an_airflow",
        f"{STORED}::test_what_is_not_verified_is_said",
        f"{STORED}::test_a_table_with_pickled_cells_needs_airflow_or_trust",
    ],
    "Everything else is then read": [f"{STORED}::test_what_can_run_code_needs_airflow_or_trust"],
    "A number, a truth value, text, bytes or an image": [
        f"{STORED}::test_what_is_plain_data_is_never_unpickled",
        f"{READING}::test_plain_data_is_not_unpickled_even_where_the_store_is_trusted",
    ],
    "Images that are not verified": [f"{STORED}::test_an_image_that_other_programs_would_read"],
    "What is not verified must be of the artifact's type": [
        f"{STORED}::test_a_value_of_another_type_needs_airflow",
        f"{STORED}::test_a_large_table_needs_airflow_or_trust",
        f"{STORED}::test_large_metadata_is_not_read",
    ],
    "A flow's record in": [
        "tests/unit/sdk/publishing/test_deletion.py::test_a_forged_record_deletes_nothing_of_another_flow"
    ],
    "What `aqueduct-airflow` and `describe()` print": [
        "tests/unit/cli/test_terminal_escapes.py::test_a_forged_exec_state",
        "tests/unit/cli/test_terminal_escapes.py::test_an_artifact_that_nothing_vouches_for",
        "tests/unit/sdk/test_console.py::test_only_what_steers_a_terminal_is_replaced",
    ],
    "Whether a run and its tasks succeeded": [
        "tests/unit/sdk/results/test_check_results.py::test_airflow_has_the_last_word_and_is_asked_once",
        f"{READING}::test_where_airflow_knows_the_run_nothing_is_believed",
    ],
    "Every page asks Airflow's auth manager": [
        f"{PAGES}/test_access.py::test_a_page_of_a_dag_asks_for_the_dag_and_for_what_it_shows",
        f"{PAGES}/test_site.py::test_every_page_of_a_dag_says_what_it_shows_of_it",
        f"{PAGES}/test_fastapi_app.py::test_without_a_login_nothing_is_shown",
        f"{PAGES}/test_flask_views.py::test_every_view_is_guarded",
        "tests/integration/test_ui.py::test_pages_show_what_a_run_has_made_to_those_who_may_see_it",
        "tests/integration/test_ui.py::test_a_user_of_another_dag_sees_nothing_of_it",
        f"{BROWSER}/test_roles.py::test_a_user_of_one_dag_sees_nothing_of_another",
        f"{BROWSER}/test_roles.py::test_a_user_of_nothing_sees_nothing",
        f"{BROWSER}/test_roles.py::test_nobody_sees_nothing",
    ],
    "Lists hold only flows": [
        f"{PAGES}/test_flows_page.py::test_only_what_may_be_read_is_listed",
        f"{PAGES}/test_flows_page.py::test_values_are_for_those_who_may_read_xcoms",
    ],
    "Where this Airflow lacks a function": [
        f"{PAGES}/test_plugin.py::test_nothing_is_mounted_where_protection_is_missing",
        f"{PAGES}/test_access.py::test_a_name_that_has_moved_is_missing",
    ],
    "Pages answer GET": [f"{PAGES}/test_fastapi_app.py::test_nothing_can_be_changed"],
    "Everything that a flow, a run or a user brings": [
        f"{PAGES}/test_html.py::test_a_template_escapes_what_it_is_given",
        f"{PAGES}/test_html.py::test_a_page_lets_only_our_own_files_act",
        f"{PAGES}/test_html.py::test_no_template_has_script_or_style_of_its_own",
        f"{PAGES}/test_charts.py::test_nothing_of_a_name_acts",
    ],
    "What users have made": [
        f"{BROWSER}/test_hostile_content.py::test_a_report_opened_by_an_admin_cannot_use_the_admins_login",
        f"{BROWSER}/test_hostile_content.py::test_a_report_in_a_page_cannot_use_the_admins_login",
        f"{BROWSER}/test_hostile_content.py::test_without_the_sandbox_the_same_report_uses_the_admins_login",
        f"{BROWSER}/test_hostile_content.py::test_a_report_in_a_page_leads_nowhere_even_when_it_is_clicked",
        f"{BROWSER}/test_hostile_content.py::test_a_report_that_is_opened_alone_can_leave_its_window",
        f"{PAGES}/test_artifact_body.py::test_bodies",
    ],
    "Nothing is unpickled in the API server": [
        f"{PAGES}/test_flow_page.py::test_a_changed_spec_is_not_shown",
        f"{PAGES}/test_flow_page.py::test_a_flow_of_the_original",
        f"{PAGES}/test_reading.py::test_pages_have_nothing_that_unpickles",
    ],
    "Pages connect only to stores": [
        f"{PAGES}/test_reading.py::test_a_store_that_the_spec_names_is_not_connected_to",
        f"{PAGES}/test_reading.py::test_the_store_of_a_connection_gives_no_large_object",
        f"{PAGES}/test_reading.py::test_a_request_reads_a_number_of_bytes_of_all_objects_together",
        f"{PAGES}/test_artifact_body.py::test_a_forged_record_leads_to_no_other_object",
    ],
    "Reasons for what cannot be read": [
        f"{PAGES}/test_site.py::test_a_page_that_cannot_be_made_says_why",
        f"{PAGES}/test_site.py::test_reasons_are_shown_without_secrets",
        f"{PAGES}/test_reading.py::test_errors_are_masked_with_the_keys_of_the_store",
    ],
    "Columns of tables, keys of JSON and fields": [
        "tests/unit/artifacts/test_named_secrets.py::test_columns",
        "tests/unit/artifacts/test_named_secrets.py::test_no_cut_shows_a_secret_or_changes_the_rest",
        "tests/unit/artifacts/test_named_secrets.py::test_fields",
        "tests/unit/artifacts/test_stored_facts.py"
        "::test_columns_with_the_names_of_secrets_are_hidden_in_previews_of_older_releases",
    ],
    "A message is sent by an Airflow connection": [
        f"{NOTIFIERS}::test_a_connection_of_another_kind_is_not_used",
        "tests/unit/spec/test_notifications.py::test_what_cannot_be_is_one_clear_problem",
    ],
    "A notifier beyond Slack": [
        f"{NOTIFIERS}::test_a_notifier_that_nobody_has_allowed_is_not_even_imported",
        f"{NOTIFIERS}::test_a_rule_that_does_not_fit_says_what_is_wrong",
    ],
    "What users wrote in a message": [
        f"{NOTIFIERS}::test_a_webhook_gets_json_with_the_connections_credentials",
        f"{NOTIFIERS}::test_slack_by_a_webhook_escapes_what_users_wrote",
        f"{NOTIFIERS}::test_a_mail_is_text_and_html",
    ],
    "Messages pass the task's masking": [
        "tests/unit/operators/test_notify.py::test_no_secret_is_sent",
        f"{NOTIFIERS}::test_a_webhook_gets_json_with_the_connections_credentials",
    ],
    "`[aqueduct] sandbox = bwrap`": [
        f"{SANDBOX}::test_no_other_process_is_seen_and_none_of_their_variables",
        f"{SANDBOX}::test_files_of_airflow_and_of_others_are_not_there",
    ],
    "In the sandbox only the folder": [
        f"{SANDBOX}::test_nothing_else_can_be_written",
        f"{SANDBOX}::test_daemons_end_with_the_job",
        "tests/unit/execution/test_sandbox_links.py"
        "::test_no_link_of_one_operator_shows_the_next_what_is_outside",
    ],
    "Code in the sandbox has no capabilities": [
        f"{SANDBOX}::test_what_the_kernel_lets_root_do_is_refused",
        f"{SANDBOX}::test_nothing_else_can_be_written",
    ],
    "Without a sandbox user code": [f"{SANDBOX}::test_without_a_sandbox_the_runner_can_be_changed"],
    "The system's programs": [
        f"{SANDBOX}::test_a_hidden_file_in_a_readable_folder_cannot_be_read",
        "tests/unit/operators/test_worker_settings.py::test_files_with_credentials_are_hidden_in_a_sandbox",
    ],
    "`sandbox_network = off`": [
        f"{SANDBOX}::test_the_network_is_there_or_not",
        f"{SANDBOX}::test_abstract_sockets_belong_to_the_network",
    ],
    "Where a sandbox is configured": [
        f"{SANDBOX}::test_without_bubblewrap_nothing_runs",
        f"{SANDBOX}::test_without_namespaces_nothing_runs",
    ],
    "Extracts from databases and loads": [
        "tests/unit/execution/test_job.py"
        "::test_a_child_of_the_user_is_isolated_and_a_connector_runs_in_the_workers_python"
    ],
    "A spec holds no secret": [
        "tests/unit/sdk/publishing/test_compose.py::test_secrets_and_names_are_refused"
    ],
    "A task masks the secrets": [
        "tests/unit/operators/test_aqueduct.py::test_no_secret_is_in_what_airflow_is_given",
        "tests/unit/execution/test_known_secrets.py::test_secrets_of_a_variable",
    ],
    "They are found as they are": [
        f"{REDACTOR}::test_each_spelling_of_a_secret_is_masked_and_no_more",
        f"{REDACTOR}::test_a_secret_inside_base64_is_masked",
        f"{REDACTOR}::test_each_line_of_a_key_is_masked",
        f"{REDACTOR}::test_what_is_encoded_twice_or_quoted_is_masked",
        f"{REDACTOR}::test_base64_in_lines_is_masked_where_they_come_together",
    ],
    "URIs lose their user part": [f"{REDACTOR}::test_uris_lose_their_user_part"],
    "The credentials in a git requirement": [
        "tests/unit/environment/test_git_credentials.py::test_git_gets_them_and_no_command_line_has_them"
    ],
    "Secrets of three and four": [f"{REDACTOR}::test_short_secrets_do_not_take_other_words_with_them"],
    "All that a machine keeps": [
        f"{FOLDER}::test_what_is_missing_is_made_for_its_owner",
        f"{FOLDER}::test_an_own_folder_is_closed_to_others_and_that_is_logged",
    ],
    "One that another user owns": [
        f"{FOLDER}::test_a_folder_of_another_user_is_refused",
        f"{FOLDER}::test_a_folder_that_everyone_can_write_to_is_refused",
    ],
    "What a killed task leaves": [
        "tests/unit/storage/test_held_folder.py"
        "::test_the_folder_of_a_killed_process_is_removed_and_that_of_a_living_one_stays"
    ],
}


def items() -> list[str]:
    """The items of lists and the rows of tables, in order."""
    rows = re.findall(r"^\| (?!who |---)(.*?) \|", PAGE, re.MULTILINE)
    return [*rows, *re.findall(r"^- (.*(?:\n  .*)*)", PAGE, re.MULTILINE)]


@pytest.mark.parametrize("item", items())
def test_every_sentence_has_a_test(item: str) -> None:
    assert [beginning for beginning in TESTS if item.startswith(beginning)], item


def test_there_is_no_other_sentence() -> None:
    assert not [beginning for beginning in TESTS if not any(one.startswith(beginning) for one in items())]


@pytest.mark.parametrize("test", sorted({test for tests in TESTS.values() for test in tests}))
def test_those_tests_are_there(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
