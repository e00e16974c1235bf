"""Chat templates as makers of models write them: their constructs, in our own words."""

from __future__ import annotations

HEADERS = """
{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n" }}
{%- endif %}
{%- for t in tools %}
    {{- t | tojson(indent=4) }}
{%- endfor %}
{{- system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("one tool call at a time") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- for arg_name, arg_val in tool_call.arguments | items %}
            {{- arg_name + '="' + arg_val + '"' }}{%- if not loop.last %}{{- ", " }}{%- endif %}
        {%- endfor %}
    {%- elif message.content is mapping or message.content is iterable %}
        {{- message.content | tojson }}
    {%- endif %}
{%- endfor %}
"""

THINKING = """
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string
           and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- set reasoning_content = '' %}
    {%- if '</think>' in content %}
        {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {%- if loop.index0 > ns.last_query_index and (loop.last or (not loop.last and reasoning_content)) %}
        {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + content }}
    {%- endif %}
    {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
    {%- if not loop.last and loop.nextitem is defined and loop.nextitem.role == 'tool' %}{% continue %}{% endif %}
    {%- generation %}{{ message['content'] }}{% endgeneration %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>' }}{%- endif %}
"""

ALTERNATING = """
{%- set loop_messages = messages[1:] if messages[0]["role"] == "system" else messages %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("roles must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
    {%- if tools is not none and (message == user_messages[-1]) %}
        {{- "[AVAILABLE_TOOLS] [" }}
        {%- for tool in tools %}
            {%- for key, val in tool.function.items() if key != "return" %}
                {{- '"' + key + '": ' + (val if val is string else val|tojson) }}
                {{- ", " if not loop.last else "}" }}
            {%- endfor %}
        {%- endfor %}
    {%- endif %}
    {{- message['role'].replace('assistant', 'model') ~ message['content'] | trim ~ eos_token }}
{%- endfor %}
"""

TYPES = """
{%- macro render_type(spec, required, is_nullable=false) -%}
    {%- if spec.type == "array" -%}
        {%- if spec['items'] -%}{{ render_type(spec['items'], required) + "[]" }}{%- endif -%}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type[0] -%}
        {{- spec.type | join(" | ") }}
    {%- elif spec.enum -%}
        {{- '"' + spec.enum|join('" | "') + '"' -}}
    {%- elif spec.properties -%}
        {%- for name, inner in spec.properties.items() -%}
            {{- name }}{%- if name not in (spec.required or []) -%}{{- "?" }}{%- endif -%}
            {{- ": " ~ render_type(inner, required) }}{%- if inner.default is defined %}{{ inner.default|string }}{% endif %}
        {%- endfor -%}
    {%- else -%}
        {%- set basic = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} -%}
        {%- if basic[spec.type] is defined -%}{{- basic[spec.type] -}}{%- endif -%}
    {%- endif -%}
{%- endmacro -%}
{%- macro visit(content, message_type) -%}
    {%- if content is string -%}{{- content -}}
    {%- else -%}{%- for item in content if item.type == 'text' -%}{{- item.text -}}{%- endfor -%}{%- endif -%}
    {{- caller() if caller is defined else '' -}}
{%- endmacro -%}
{%- for tool in tools | sort(attribute='function.name') -%}
    {{- "type " ~ tool.function.name ~ " = (_: " }}
    {%- for key in ['maximum', 'minimum', 'maxLength'] if key in tool -%}{{ key ~ '=' ~ tool[key] }}{%- endfor -%}
    {{- render_type(tool.function.parameters, tool.function.parameters.required) -}}
{%- endfor -%}
{%- call(extra) visit(messages[-1].content, 'user') -%}{{ '<end>' }}{%- endcall -%}
{%- set calls = messages | map(attribute='tool_calls') | list | length -%}
{%- filter trim %}{{ "%s of %d" | format('calls', calls) }}{% endfilter -%}
"""

ORDINARY = {"headers": HEADERS, "thinking": THINKING, "alternating": ALTERNATING, "types": TYPES}
