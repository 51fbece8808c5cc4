// Templates, and what Go's text/template made of them over the struct of template_test.cpp.
#pragma once

namespace lade::go {

struct Case {
  const char* text;
  const char* expected;  ///< `OK ` and the output, or `ERR ` and the message
};

inline constexpr Case k_cases[] = {
    {"{{.Name}}", "OK docker.io/library/x<y>"},
    {"plain", "OK plain"},
    {"{{.Digest}} {{.Digest.Hex}} {{.Digest.Algorithm}} {{.Digest.Encoded}}",
     "OK sha256:abcdef abcdef sha256 abcdef"},
    {"{{.Created}}", "OK 2022-11-16 07:26:42.618327645 +0000 UTC"},
    {"{{.Created.Format \"2006-01-02T15:04:05Z07:00\"}} {{.Created.Unix}} {{.Created.Year}} "
     "{{.Created.Format \"Jan _2 06 3:04PM Mon\"}}",
     "OK 2022-11-16T07:26:42Z 1668583602 2022 Nov 16 22 7:26AM Wed"},
    {"{{.Labels}}", "OK map[a:one b:two com.example.x:\u00e9\"q]"},
    {"{{.Labels.a}}|{{.Labels.nope}}|{{index .Labels \"b\"}}|{{index .Labels \"nope\"}}|{{index "
     ".Labels \"com.example.x\"}}",
     "OK one|<no value>|two||\u00e9\"q"},
    {"{{json .}}",
     "OK "
     "{\"Name\":\"docker.io/library/"
     "x<y>\",\"Digest\":\"sha256:abcdef\",\"RepoTags\":[\"1\",\"2\",\"latest\"],\"Created\":\"2022-"
     "11-16T07:26:42.618327645Z\",\"Labels\":{\"a\":\"one\",\"b\":\"two\",\"com.example.x\":"
     "\"\u00e9\\\"q\"},\"Layers\":[{\"MIMEType\":\"application/"
     "gz\",\"Digest\":\"sha256:11\",\"Size\":65990920,\"Annotations\":null},{\"MIMEType\":"
     "\"application/"
     "zstd\",\"Digest\":\"sha256:22\",\"Size\":-1,\"Annotations\":{\"k\":\"v\"}}],\"Env\":[\"PATH=/"
     "bin\",\"A=b c\"],\"Started\":null,\"None\":null,\"Flag\":true,\"Ports\":{\"80/tcp\":{}}}"},
    {"{{json .Labels}}", "OK {\"a\":\"one\",\"b\":\"two\",\"com.example.x\":\"\u00e9\\\"q\"}"},
    {"{{json .None}} {{json .Layers}} {{json \"<&>\"}}",
     "OK null "
     "[{\"MIMEType\":\"application/"
     "gz\",\"Digest\":\"sha256:11\",\"Size\":65990920,\"Annotations\":null},{\"MIMEType\":"
     "\"application/zstd\",\"Digest\":\"sha256:22\",\"Size\":-1,\"Annotations\":{\"k\":\"v\"}}] "
     "\"<&>\""},
    {"{{.}}",
     "OK {docker.io/library/x<y>  sha256:abcdef [1 2 latest] 2022-11-16 07:26:42.618327645 +0000 "
     "UTC map[a:one b:two com.example.x:\u00e9\"q] [{application/gz sha256:11 65990920 map[]} "
     "{application/zstd sha256:22 -1 map[k:v]}] [PATH=/bin A=b c] <nil> [] true map[80/tcp:{}]}"},
    {"{{.Layers}}",
     "OK [{application/gz sha256:11 65990920 map[]} {application/zstd sha256:22 -1 map[k:v]}]"},
    {"{{printf \"%+v\" .Layers}}",
     "OK [{MIMEType:application/gz Digest:sha256:11 Size:65990920 Annotations:map[]} "
     "{MIMEType:application/zstd Digest:sha256:22 Size:-1 Annotations:map[k:v]}]"},
    {"{{range .RepoTags}}[{{.}}]{{end}}", "OK [1][2][latest]"},
    {"{{range $i, $t := .RepoTags}}{{if $i}}, {{end}}{{$i}}:{{$t}}{{end}}",
     "OK 0:1, 1:2, 2:latest"},
    {"{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "OK a=one;b=two;com.example.x=\u00e9\"q;"},
    {"{{range .None}}x{{else}}none{{end}}", "OK none"},
    {"{{range .Labels}}{{.}},{{end}}", "OK one,two,\u00e9\"q,"},
    {"{{range 3}}{{.}}{{end}}", "OK 012"},
    {"{{range $i := 3}}{{$i}}{{end}}", "OK 012"},
    {"{{range .RepoTags}}{{if eq . \"2\"}}{{continue}}{{end}}{{.}}{{if eq . "
     "\"latest\"}}{{break}}{{end}}{{end}}",
     "OK 1latest"},
    {"{{if .Flag}}yes{{else}}no{{end}}", "OK yes"},
    {"{{if not .Flag}}yes{{else if .None}}none{{else if .Env}}env{{else}}no{{end}}", "OK env"},
    {"{{with .Labels.a}}{{.}}{{end}}{{with .None}}x{{else}}y{{end}}", "OK oney"},
    {"{{with .None}}x{{else with .Env}}{{len .}}{{end}}", "OK 2"},
    {"{{with $x := .Env}}{{index $x 1}}{{end}}", "OK A=b c"},
    {"{{$n := len .Env}}{{$n}} {{$n = 7}}{{$n}}", "OK 2 7"},
    {"{{join .RepoTags \",\"}} {{.RepoTags | len}} {{join .Env \"|\" | upper}}",
     "OK 1,2,latest 3 PATH=/BIN|A=B C"},
    {"{{upper .Name}} {{lower \"ABC\"}} {{title \"hello big_world-now\"}}",
     "OK DOCKER.IO/LIBRARY/X<Y> abc Hello Big_world-Now"},
    {"{{split \"a,b,c\" \",\"}} {{len (split \"a,b,c\" \",\")}}", "OK [a b c] 3"},
    {"{{index (split \"a,b,c\" \",\") 1}}", "OK b"},
    {"{{(index .Layers 1).Digest}} {{(index .Layers 0).Size}}", "OK sha256:22 65990920"},
    {"{{printf \"%s-%d-%5.2f-%q-%v-%x-%08d-%-5s|\" .Name 42 3.14159 \"hi\" .RepoTags \"hi\" 42 "
     "\"ab\"}}",
     "OK docker.io/library/x<y>-42- 3.14-\"hi\"-[1 2 latest]-6869-00000042-ab   |"},
    {"{{printf \"%d %s\" \"hi\" 5}} {{printf \"%d\"}} {{printf \"%d\" 1 2}} {{printf \"%!\"}} "
     "{{printf \"%\"}}",
     "OK %!d(string=hi) %!s(int=5) %!d(MISSING) 1%!(EXTRA int=2) %!!(MISSING) %!(NOVERB)"},
    {"{{printf \"%T %T %T %T\" .Name .Digest .Layers 1}}",
     "OK string digest.Digest []main.Layer int"},
    {"{{printf \"%6v|%-6v|%06d|%+d|%t|%c|%U|%o|%b|%X|%e|%g\" \"a\" \"b\" 7 7 true 65 65 8 5 255 "
     "1234.5 1e7}}",
     "OK      a|b     |000007|+7|true|A|U+0041|10|101|FF|1.234500e+03|1e+07"},
    {"{{printf \"%v %q %s\" .Labels .RepoTags .Env}}",
     "OK map[a:one b:two com.example.x:\u00e9\"q] [\"1\" \"2\" \"latest\"] [PATH=/bin A=b c]"},
    {"{{printf \"%*d\" 5 42}} {{printf \"%.3s\" \"abcdef\"}} {{printf \"%%\"}}", "OK    42 abc %"},
    {"{{print 1 2 \"a\" \"b\" 3}} {{println \"x\" 1}}", "OK 1 2ab3 x 1\n"},
    {"{{eq 1 1}} {{eq \"a\" \"b\" \"a\"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt \"b\" \"a\"}} {{ge "
     "1.5 2.5}} {{and 1 0 2}} {{or 0 \"\" \"x\"}} {{not true}}",
     "OK true true true true true true false 0 x false"},
    {"{{eq .Digest \"sha256:abcdef\"}} {{eq (index .Layers 0).Size 65990920}}", "OK true true"},
    {"{{html \"<a href='x'>&\\\"\"}} {{js \"it's \\\"x\\\" <b>\"}} {{urlquery \"a b&c=d/\u00e9\"}}",
     "OK &lt;a href=&#39;x&#39;&gt;&amp;&#34; it\\'s \\\"x\\\" \\u003Cb\\u003E "
     "a+b%26c%3Dd%2F%C3%A9"},
    {"{{slice \"abcdef\" 1 3}} {{slice .RepoTags 1}} {{index \"abc\" 1}}", "OK bc [2 latest] 98"},
    {"a  {{- \" b \" -}}  c", "OK a b c"},
    {"{{/* comment */}}x{{- /* c */ -}} y", "OK xy"},
    {"{{\"quoted \\\"text\\\" \\\\n\"}} {{`raw`}} {{'a'}} {{0x1F}} {{1_000}} {{-3}} {{+4}} "
     "{{1.5e3}} {{.5}} {{1e6}} {{017}} {{0b101}} {{true}}",
     "OK quoted \"text\" \\n raw 97 31 1000 -3 4 1500 0.5 1e+06 15 5 true"},
    {"{{len \"h\u00e9llo\"}} {{len .Labels}} {{len .None}}", "OK 6 3 0"},
    {"{{pad \"x\" 2 3}}| {{truncate \"abcdef\" 3}} {{pad \"\" 2 2}}|", "OK   x   | abc |"},
    {"{{.Started}}", "OK <nil>"},
    {"{{.None}} {{.Ports}} {{json .Ports}}", "OK [] map[80/tcp:{}] {\"80/tcp\":{}}"},
    {"{{$}}",
     "OK {docker.io/library/x<y>  sha256:abcdef [1 2 latest] 2022-11-16 07:26:42.618327645 +0000 "
     "UTC map[a:one b:two com.example.x:\u00e9\"q] [{application/gz sha256:11 65990920 map[]} "
     "{application/zstd sha256:22 -1 map[k:v]}] [PATH=/bin A=b c] <nil> [] true map[80/tcp:{}]}"},
    {"{{$.Name}} {{range .Env}}{{$.Flag}}{{end}}", "OK docker.io/library/x<y> truetrue"},
    {"{{(.Name)}} {{((len .Env))}}", "OK docker.io/library/x<y> 2"},
    {"{{.Name | printf \"%s %s\" \"x\"}}", "OK x docker.io/library/x<y>"},
    {"{{\"2006\" | .Created.Format}}", "OK 2022"},
    {"{{if and .Flag (gt (len .Env) 1)}}both{{end}}", "OK both"},
    {"{{if or (eq .Tag \"x\") (eq .Name \"docker.io/library/x<y>\")}}or{{end}}", "OK or"},
    {"{{1000000.0}} {{0.00001}} {{123456.0}} {{100.5}}", "OK 1e+06 1e-05 123456 100.5"},
    {"{{.Nope}}",
     "ERR template: t:1:2: executing \"t\" at <.Nope>: can't evaluate field Nope in type "
     "main.Image"},
    {"{{.Name.X}}",
     "ERR template: t:1:7: executing \"t\" at <.Name.X>: can't evaluate field X in type string"},
    {"{{.Labels.a.b}}",
     "ERR template: t:1:9: executing \"t\" at <.Labels.a.b>: can't evaluate field b in type "
     "string"},
    {"{{.None.x}}",
     "ERR template: t:1:7: executing \"t\" at <.None.x>: can't evaluate field x in type []string"},
    {"{{index .RepoTags 7}}",
     "ERR template: t:1:2: executing \"t\" at <index .RepoTags 7>: error calling index: index out "
     "of range: 7"},
    {"{{index .RepoTags \"a\"}}",
     "ERR template: t:1:2: executing \"t\" at <index .RepoTags \"a\">: error calling index: cannot "
     "index slice/array with type string"},
    {"{{index .Name.X 1}}",
     "ERR template: t:1:13: executing \"t\" at <.Name.X>: can't evaluate field X in type string"},
    {"{{index .Flag 1}}",
     "ERR template: t:1:2: executing \"t\" at <index .Flag 1>: error calling index: can't index "
     "item of type bool"},
    {"{{index nil 1}}",
     "ERR template: t:1:2: executing \"t\" at <index nil 1>: error calling index: index of untyped "
     "nil"},
    {"{{index .Labels 1}}",
     "ERR template: t:1:2: executing \"t\" at <index .Labels 1>: error calling index: value has "
     "type int; should be string"},
    {"{{upper .Digest}}",
     "ERR template: t:1:8: executing \"t\" at <.Digest>: wrong type for value; expected string; "
     "got digest.Digest"},
    {"{{upper 1}}", "ERR template: t:1:8: executing \"t\" at <1>: expected string; found 1"},
    {"{{upper}}",
     "ERR template: t:1:2: executing \"t\" at <upper>: wrong number of args for upper: want 1 got "
     "0"},
    {"{{upper \"a\" \"b\"}}",
     "ERR template: t:1:2: executing \"t\" at <upper>: wrong number of args for upper: want 1 got "
     "2"},
    {"{{join .Layers \",\"}}",
     "ERR template: t:1:7: executing \"t\" at <.Layers>: wrong type for value; expected []string; "
     "got []main.Layer"},
    {"{{join \"x\" \",\"}}",
     "ERR template: t:1:7: executing \"t\" at <\"x\">: can't handle \"x\" for arg of type "
     "[]string"},
    {"{{len 3}}",
     "ERR template: t:1:2: executing \"t\" at <len 3>: error calling len: len of type int"},
    {"{{eq 1 \"a\"}}",
     "ERR template: t:1:2: executing \"t\" at <eq 1 \"a\">: error calling eq: incompatible types "
     "for comparison: int and string"},
    {"{{eq 1}}",
     "ERR template: t:1:2: executing \"t\" at <eq 1>: error calling eq: missing argument for "
     "comparison"},
    {"{{eq}}",
     "ERR template: t:1:2: executing \"t\" at <eq>: wrong number of args for eq: want at least 1 "
     "got 0"},
    {"{{lt true false}}",
     "ERR template: t:1:2: executing \"t\" at <lt true false>: error calling lt: invalid type for "
     "comparison"},
    {"{{lt .Env .Env}}",
     "ERR template: t:1:2: executing \"t\" at <lt .Env .Env>: error calling lt: invalid type for "
     "comparison"},
    {"{{eq .Env .Env}}",
     "ERR template: t:1:2: executing \"t\" at <eq .Env .Env>: error calling eq: non-comparable "
     "type [PATH=/bin A=b c]: []string"},
    {"{{nope .}}", "ERR template: t:1: function \"nope\" not defined"},
    {"{{.Name", "ERR template: t:1: unclosed action"},
    {"{{.Name}", "ERR template: t:1: bad character U+007D '}'"},
    {"{{.Name }}{{end}}", "ERR template: t:1: unexpected {{end}}"},
    {"{{if .Flag}}", "ERR template: t:1: unexpected EOF"},
    {"{{if}}x{{end}}", "ERR template: t:1: missing value for if"},
    {"{{if .Flag}}x{{else}}y{{else}}z{{end}}", "ERR template: t:1: expected end; found {{else}}"},
    {"{{else}}", "ERR template: t:1: unexpected {{else}}"},
    {"{{range .Env}}{{else}}{{else}}{{end}}", "ERR template: t:1: expected end; found {{else}}"},
    {"{{end}}", "ERR template: t:1: unexpected {{end}}"},
    {"{{}}", "ERR template: t:1: missing value for command"},
    {"{{/* x }}", "ERR template: t:1: unclosed comment"},
    {"{{/* x */ .Name}}", "ERR template: t:1: comment ends before closing delimiter"},
    {"{{\"abc}}", "ERR template: t:1: unterminated quoted string"},
    {"{{`abc}}", "ERR template: t:1: unterminated raw quoted string"},
    {"{{'a}}", "ERR template: t:1: unterminated character constant"},
    {"{{'ab'}}", "ERR template: t:1: malformed character constant: 'ab'"},
    {"{{$x}}", "ERR template: t:1: undefined variable \"$x\""},
    {"{{$x = 1}}", "ERR template: t:1:7: executing \"t\" at <1>: undefined variable: $x"},
    {"{{$x := 1, $y := 2}}", "ERR template: t:1: unexpected \",\" in operand"},
    {"{{range $a, $b, $c := .Env}}{{end}}", "ERR template: t:1: too many declarations in range"},
    {"{{(.Name}}", "ERR template: t:1: unclosed left paren"},
    {"{{.Name)}}", "ERR template: t:1: unexpected right paren"},
    {"{{.Name | \"x\"}}", "ERR template: t:1: non executable command in pipeline stage 2"},
    {"{{.Name | 3}}", "ERR template: t:1: non executable command in pipeline stage 2"},
    {"{{3 4}}",
     "ERR template: t:1:2: executing \"t\" at <3>: can't give argument to non-function 3"},
    {"{{nil}}", "ERR template: t:1:2: executing \"t\" at <nil>: nil is not a command"},
    {"{{.Name \"x\"}}",
     "ERR template: t:1:2: executing \"t\" at <.Name>: Name has arguments but cannot be invoked as "
     "function"},
    {"{{.Flag | .Name}}",
     "ERR template: t:1:10: executing \"t\" at <.Name>: Name has arguments but cannot be invoked "
     "as function"},
    {"{{break}}", "ERR template: t:1: {{break}} outside {{range}}"},
    {"{{range .Env}}{{break 1}}{{end}}", "ERR template: t:1: unexpected \"1\" in {{break}}"},
    {"{{1a}}", "ERR template: t:1: bad number syntax: \"1a\""},
    {"{{\"\\q\"}}", "ERR template: t:1: invalid syntax"},
    {"{{.Name #}}", "ERR template: t:1: unexpected \"#\" in operand"},
    {"{{#}}", "ERR template: t:1: unexpected \"#\" in command"},
    {"{{.Name : x}}", "ERR template: t:1: expected :="},
    {"{{a b}}", "ERR template: t:1: function \"a\" not defined"},
    {"{{\"x\".Y}}", "ERR template: t:1: unexpected . after term \"\\\"x\\\"\""},
    {"{{.Created.Format}}",
     "ERR template: t:1:10: executing \"t\" at <.Created.Format>: wrong number of args for Format: "
     "want 1 got 0"},
    {"{{.Created.Format 1}}",
     "ERR template: t:1:18: executing \"t\" at <1>: expected string; found 1"},
    {"{{.Created.Nope}}",
     "ERR template: t:1:10: executing \"t\" at <.Created.Nope>: can't evaluate field Nope in type "
     "*time.Time"},
    {"{{range .Name}}x{{end}}",
     "ERR template: t:1:8: executing \"t\" at <.Name>: range can't iterate over "
     "docker.io/library/x<y>"},
    {"{{range .Flag}}x{{end}}",
     "ERR template: t:1:8: executing \"t\" at <.Flag>: range can't iterate over true"},
    {"{{.Name | len | printf \"%d\"}}", "OK 22"},
    {"{{(len .Env).X}}",
     "ERR template: t:1:7: executing \"t\" at <.Env>: can't evaluate field X in type int"},
    {"{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "OK 21"},
    {"{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "OK 2"},
    {"{{json nil}} {{print nil}}", "OK null <nil>"},
    {"{{printf \"%s\" nil}}", "OK %!s(<nil>)"},
    {"{{slice \"abc\" 5}}",
     "ERR template: t:1:2: executing \"t\" at <slice \"abc\" 5>: error calling slice: index out of "
     "range: 5"},
    {"{{slice 1 2}}",
     "ERR template: t:1:2: executing \"t\" at <slice 1 2>: error calling slice: can't slice item "
     "of type int"},
    {"{{and}}",
     "ERR template: t:1:2: executing \"t\" at <and>: wrong number of args for and: want at least 1 "
     "got 0"},
    {"{{not}}",
     "ERR template: t:1:2: executing \"t\" at <not>: wrong number of args for not: want 1 got 0"},
    {"{{if .Nope}}x{{end}}",
     "ERR template: t:1:5: executing \"t\" at <.Nope>: can't evaluate field Nope in type "
     "main.Image"},
    {"line1\n{{.Nope}}",
     "ERR template: t:2:2: executing \"t\" at <.Nope>: can't evaluate field Nope in type "
     "main.Image"},
    {"line1\n  {{if .Flag}}\n x {{end -}}  \n y", "OK line1\n  \n x y"},
    {"{{.Name |}}", "OK docker.io/library/x<y>"},
    {"{{| .Name}}", "ERR template: t:1: unexpected \"|\" in command"},
    {"{{.Name || .Tag}}", "ERR template: t:1: unexpected \"|\" in command"},
    {"{{index .Layers 0 | json}}",
     "OK "
     "{\"MIMEType\":\"application/"
     "gz\",\"Digest\":\"sha256:11\",\"Size\":65990920,\"Annotations\":null}"},
    {"{{ .Name, }}", "ERR template: t:1: unexpected \",\" in operand"},
    {"{{printf .Flag}}",
     "ERR template: t:1:9: executing \"t\" at <.Flag>: wrong type for value; expected string; got "
     "bool"},
    {"{{truncate \"abc\" \"x\"}}",
     "ERR template: t:1:17: executing \"t\" at <\"x\">: expected integer; found \"x\""},
    {"{{truncate .Digest 3}}",
     "ERR template: t:1:11: executing \"t\" at <.Digest>: wrong type for value; expected string; "
     "got digest.Digest"},
    {"{{.Layers.Size}}",
     "ERR template: t:1:9: executing \"t\" at <.Layers.Size>: can't evaluate field Size in type "
     "[]main.Layer"},
    {"{{range .Layers}}{{.Digest.Hex}} {{.Size}} {{.Annotations.k}};{{end}}",
     "OK 11 65990920 <no value>;22 -1 v;"},
    {"{{range $l := .Layers}}{{$l.MIMEType}} {{end}}", "OK application/gz application/zstd "},
    {"{{- .Name -}}", "OK docker.io/library/x<y>"},
    {"{{-3}}", "OK -3"},
    {"{{- 3}}", "OK 3"},
    {"{{lt 1 \"a\"}}",
     "ERR template: t:1:2: executing \"t\" at <lt 1 \"a\">: error calling lt: incompatible types "
     "for comparison: int and string"},
    {"{{gt .Name 3}}",
     "ERR template: t:1:2: executing \"t\" at <gt .Name 3>: error calling gt: incompatible types "
     "for comparison: string and int"},
    {"{{le 1 2.0}}",
     "ERR template: t:1:2: executing \"t\" at <le 1 2.0>: error calling le: incompatible types for "
     "comparison: int and float64"},
    {"{{printf \"%+v %+d\" 7 7}}", "OK 7 +7"},
    {"{{eq 1 1.0}}",
     "ERR template: t:1:2: executing \"t\" at <eq 1 1.0>: error calling eq: incompatible types for "
     "comparison: int and float64"},
    {"{{eq .Env 1}}",
     "ERR template: t:1:2: executing \"t\" at <eq .Env 1>: error calling eq: incompatible types "
     "for comparison: []string and int"},
    {"{{eq nil nil}} {{eq .Started nil}}", "OK true true"},
    {"{{ne .Labels .Labels}}",
     "ERR template: t:1:2: executing \"t\" at <ne .Labels .Labels>: error calling ne: "
     "non-comparable type map[a:one b:two com.example.x:\u00e9\"q]: map[string]string"},
    {"{{index .Labels nil}}",
     "ERR template: t:1:2: executing \"t\" at <index .Labels nil>: error calling index: value is "
     "nil; should be of type string"},
    {"{{index .RepoTags nil}}",
     "ERR template: t:1:2: executing \"t\" at <index .RepoTags nil>: error calling index: cannot "
     "index slice/array with nil"},
    {"{{$}}{{range $x := .Env}}{{$x}}{{end}}{{$x}}",
     "ERR template: t:1: undefined variable \"$x\""},
    {"{{range $i, $x = .Env}}{{end}}",
     "ERR template: t:1:17: executing \"t\" at <.Env>: undefined variable: $i"},
    {"{{with $y := 3}}{{$y}}{{end}}{{$y}}", "ERR template: t:1: undefined variable \"$y\""},
    {"{{with .Created}}{{.Year}}{{end}}", "OK 2022"},
    {"{{len (index .Layers 0).Annotations}}", "OK 0"},
    {"{{(index .Layers 0).Annotations.x}}", "OK <no value>"},
    {"{{.Created.UTC.Format \"2006\"}}", "OK 2022"},
    {"{{if eq .Tag \"\"}}a{{end}}", "OK a"},
    {"{{range .Ports}}{{.}}{{end}}{{range $k, $_ := .Ports}}{{$k}}{{end}}", "OK {}80/tcp"},
    {"{{printf \"%v %+v %T\" .Started .None .Started}}", "OK <nil> [] *time.Time"},
    {"{{1 | printf \"%d %d\" 2}}", "OK 2 1"},
    {"{{\"a\" | upper | lower | printf \"%q\"}}", "OK \"a\""},
    {"{{not 1 2}}",
     "ERR template: t:1:2: executing \"t\" at <not>: wrong number of args for not: want 1 got 2"},
    {"{{index .Layers}}",
     "OK [{application/gz sha256:11 65990920 map[]} {application/zstd sha256:22 -1 map[k:v]}]"},
    {"{{join nil \",\"}}", "OK "},
    {"{{upper nil}}", "ERR template: t:1:8: executing \"t\" at <nil>: cannot assign nil to string"},
    {"{{json .Created}} {{json .Started}} {{json .Digest}} {{json 1.5}} {{json \"\u2028<\"}}",
     "OK \"2022-11-16T07:26:42.618327645Z\" null \"sha256:abcdef\" 1.5 \"\\u2028<\""},
    {"{{.Created.Format \"Monday, 02-Jan-06 15:04:05 MST\"}} {{.Created.Format \"2006.01.02 .000 "
     ".999999\"}} {{.Created.Format \"Z0700 -07 5 4 3 1 2 pm\"}}",
     "OK Wednesday, 16-Nov-22 07:26:42 UTC 2022.11.16 .618 .618327 Z +00 42 26 7 11 16 am"},
};

}  // namespace lade::go
