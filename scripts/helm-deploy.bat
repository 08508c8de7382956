@echo off
rem Installs or upgrades the Helm chart. See --help. The same as helm-deploy.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
set "TAG="
set "REGISTRY="
set "SECRETS_DIR="
set "ROLLBACK=yes"
set "ARGUMENTS="

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--no-rollback" goto take_rollback
if "%~1"=="--values" goto take_values
if "%~1"=="-f" goto take_values
if "%~1"=="--set" goto take_set
if "%~1"=="--secrets" goto take_secrets
if "%~1"=="--tag" goto take_tag
if "%~1"=="--registry" goto take_registry
call "%LIB%" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_rollback
set "ROLLBACK=no"
shift
goto arguments

:take_values
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "ARGUMENTS=%ARGUMENTS% --values "%~2""
shift
shift
goto arguments

:take_set
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
rem other users of this machine can read command lines
for /f "delims==" %%K in ("%~2") do set "KEY=%%K"
if /i "%KEY:~-8%"=="password" goto secret_given
if /i "%KEY:~-6%"=="apikey" goto secret_given
if /i "%KEY:~-14%"=="platformsecret" goto secret_given
set "ARGUMENTS=%ARGUMENTS% --set "%~2""
shift
shift
goto arguments

:take_secrets
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "SECRETS_DIR=%~2"
shift
shift
goto arguments

:take_tag
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "TAG=%~2"
shift
shift
goto arguments

:take_registry
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "REGISTRY=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\helm-deploy.bat [OPTION]
echo.
echo Installs or upgrades the chart in helm/bizosaas, waits until everything is ready and asks every service for its health.
echo A failed upgrade is rolled back. Without options: bundled Postgres and Redis, generated secrets. Safe to repeat.
echo.
echo   --values FILE      values of yours; may be repeated
echo   --set KEY=VALUE    one value (on Windows in quotes); may be repeated; never for secrets
echo   --secrets DIR      files named like the Secret's keys: a Secret is made of them and the chart uses it
echo   --tag TAG          tag of the images (default: the chart's version of the platform)
echo   --registry NAME    registry of the images, such as registry.example
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --no-rollback      leave a failed release as it is, to look at it
echo   --context NAME     context of kubectl
echo   --host HOST        where the NodePorts answer (default: found out)
echo   --timeout SECONDS  longest wait (default 300)
echo   --dry-run          print what would be changed
echo   --yes              ask nothing
echo   --help
exit /b 0

:checked
if "%REGISTRY:~-1%"=="/" set "REGISTRY=%REGISTRY:~0,-1%"
if "%SECRETS_DIR%"=="" goto start
if exist "%SECRETS_DIR%\" goto start
echo error: %SECRETS_DIR% is not a directory 1>&2
exit /b 2

:start
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
call "%LIB%" :need helm https://helm.sh/docs/intro/install/
if errorlevel 1 exit /b 1
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
set "ARGUMENTS=%ARGUMENTS% --wait --timeout %TIMEOUT%s"
if "%ROLLBACK%"=="yes" call :undo_flag
if errorlevel 1 exit /b 1
if not "%TAG%"=="" set "ARGUMENTS=%ARGUMENTS% --set-string "image.tag=%TAG%""
if not "%REGISTRY%"=="" set "ARGUMENTS=%ARGUMENTS% --set-string "image.registry=%REGISTRY%""
if not "%SECRETS_DIR%"=="" call :use_secrets
if errorlevel 1 exit /b 1
call "%LIB%" :change %HELM% upgrade --install %RELEASE% "%REPO%\helm\bizosaas" --create-namespace %ARGUMENTS%
if errorlevel 1 goto helm_failed
call "%LIB%" :health_check %TIMEOUT%
if errorlevel 1 exit /b 1
exit /b 0

:helm_failed
call "%LIB%" :explain_failure
echo error: helm did not succeed 1>&2
exit /b 1

:secret_given
echo error: --set would show a secret to everybody on this machine: use --secrets DIR 1>&2
exit /b 2

rem Helm 4 has a new name for undoing a failed upgrade.
:undo_flag
set "LINE="
call helm version --template "{{.Version}}" >"%SCRATCH%\answer"
set /p "LINE=" <"%SCRATCH%\answer"
if "%LINE:~0,3%"=="v3." set "ARGUMENTS=%ARGUMENTS% --atomic"
if "%LINE:~0,3%"=="v3." exit /b 0
for %%V in (4 5 6 7 8 9) do call :newer %%V
if "%LINE%"=="newer" set "ARGUMENTS=%ARGUMENTS% --rollback-on-failure"
if "%LINE%"=="newer" exit /b 0
echo error: this Helm is not known: %LINE% 1>&2
exit /b 1

:newer
if "%LINE:~0,2%"=="v%~1" set "LINE=newer"
exit /b 0

:use_secrets
call "%LIB%" :ensure_namespace
if errorlevel 1 exit /b 1
call "%~dp0lib-secret.bat" :ensure %RELEASE%-secrets "%SECRETS_DIR%" bundled
if errorlevel 1 exit /b 1
set "ARGUMENTS=%ARGUMENTS% --set-string "secrets.existingSecret=%RELEASE%-secrets""
exit /b 0
